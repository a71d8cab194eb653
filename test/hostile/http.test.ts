import { createHash } from 'node:crypto'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { flowOf, Tab } from '../nodes/flow-builder.ts'
import type { FlowNode } from '../../src/testing/admin-client.ts'
import { logsOf } from '../support/containers.ts'
import type { StartedEmbeddedNodeRedTcp } from '../../src/testing/embedded-node-red-tcp.ts'
import { StartedNodeRedTcpContainer } from '../../src/testing/node-red-tcp-container.ts'
import { ask, connectTo, handshake } from '../../src/testing/raw-http.ts'
import { describeRuntimes, type RunningNodeRedTcp } from '../support/runtimes.ts'
import type { TcpClient } from '../../src/testing/tcp-client.ts'

const PEERS = 30
const MAX_CONNECTIONS = 50
const GARBAGE_BYTES = 4_000
const HEADERS_TIMEOUT_MS = 10_000
const UPGRADE_TIMEOUT_MS = 5_000
// Checks come at intervals, and late on a busy machine.
// More than the 16 KiB that Node.js takes.
const LONG = 20_000
const LATE_MS = 5_000
const ANSWER_MS = 15_000
const MEMORY_BYTES = 16 * 1024 * 1024
const MANY = 20
const FEW = 6
// More than the kernel takes for a connection.
const MUCH_MORE_BYTES = 8 * 1024 * 1024
const MUCH_BYTES = 2 * 1024 * 1024
// For a request that is refused.
const CPU_SECONDS = 0.1
const MAX_ECHOES = 40
const FRAGMENT_BYTES = 64 * 1024
const MANY_FRAGMENTS = 5_000
// As much as the form of the login may have.
const FORM_BYTES = 16_000
const PING = Buffer.concat([Buffer.from([0x89, 0xfd, 0, 0, 0, 0]), Buffer.alloc(125, 'a')])
// Fewer than ws lets wait for their answers.
const FEW_PINGS = 30
const PONG_BYTES = 127
const PINGS_AT_ONCE = 2_000
const MAX_PING_ROUNDS = 400
// As many as a client may send before it has an answer.
const MAX_WAITING = 10
const HASTY = 2_000
const MANY_FAILURES = 30
// At once, and as a number.
const MAX_LINES = 2
const MANY_PARTS = 5_000
const MAX_PARTS = 1_000

const POST = 'POST /hook HTTP/1.1\r\nHost: test\r\nContent-Type: application/json\r\n'
const UPLOAD = 'POST /upload HTTP/1.1\r\nHost: test\r\nContent-Type: multipart/form-data; boundary=x\r\nContent-Length: '
const PART = '--x\r\nContent-Disposition: form-data; name="a"; filename="a"\r\n\r\n'
const TINY_CHUNKS = 'POST /auth/sign-in HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n'
const KEPT = POST.replace('/hook', '/kept')
const PACKED = `${KEPT}Content-Encoding: gzip\r\n`
const PACKED_MUCH = gzipSync(JSON.stringify(['a'.repeat(MUCH_BYTES)]))
const DEEP = '['.repeat(MUCH_BYTES)
const GET = 'GET /device/7 HTTP/1.1\r\nHost: test\r\n\r\n'
const NO_JSON = 'Content-Length: 1\r\n\r\n{'
const MANY_OBJECTS = JSON.stringify(Array.from({ length: MUCH_BYTES / 64 }, () => ({})))
const MANY_KEYS = JSON.stringify(Object.fromEntries(Array.from({ length: MUCH_BYTES / 128 }, (_, at) => [at.toString(36), 0])))
const HALF_BODY = `${POST}Content-Length: 100000\r\n\r\n{"half":`

/** What one peer of many does; the server need not close what is closed here. */
type Attack = { name: string; act: (client: TcpClient, seed: number) => Promise<unknown> | void }

const attacks: Attack[] = [
  ...['/comms', '/ws', '/nothing', '/dashboard/socket.io/?EIO=4&transport=websocket'].flatMap((path): Attack[] => [
    { name: `begin a handshake at ${path} and reset`, act: (client, seed) => sendAndReset(client, handshake(path), seed) },
    { name: `begin a handshake at ${path} and end`, act: (client) => sendAndEnd(client, handshake(path)) },
  ]),
  { name: 'send garbage after a handshake', act: (client, seed) => spoil(client, `${handshake('/ws')}${garbage(seed)}`) },
  { name: 'send garbage', act: (client, seed) => spoil(client, garbage(seed)) },
  {
    name: 'send garbage after a request',
    act: (client, seed) => spoil(client, `GET /device/7 HTTP/1.1\r\nHost: test\r\n\r\n${garbage(seed)}`),
  },
  { name: 'send many requests and read nothing', act: (client, seed) => sendAndReset(client, requests(100), seed) },
  { name: 'send half of a body and reset', act: (client, seed) => sendAndReset(client, HALF_BODY, seed) },
  { name: 'send half of a body and end', act: (client) => sendAndEnd(client, HALF_BODY) },
  {
    name: 'send half of a chunk and reset',
    act: (client, seed) => sendAndReset(client, `${POST}Transfer-Encoding: chunked\r\n\r\nffff\r\nx`, seed),
  },
  {
    name: 'promise a body and reset',
    act: (client, seed) => sendAndReset(client, `${POST}Expect: 100-continue\r\nContent-Length: 9\r\n\r\n`, seed),
  },
  {
    name: 'ask for a tunnel and reset',
    act: (client, seed) => sendAndReset(client, 'CONNECT test:80 HTTP/1.1\r\nHost: test\r\n\r\n', seed),
  },
  { name: 'go at once', act: (client) => void client.socket.destroy() },
  { name: 'reset at once', act: (client) => client.reset() },
]

/** What has to be answered so, or by closing the connection. */
const answered: [name: string, request: string, status: number][] = [
  ['a header that is too long', `GET / HTTP/1.1\r\nHost: test\r\nX-Long: ${'x'.repeat(LONG)}\r\n\r\n`, 431],
  ['too many headers', `GET / HTTP/1.1\r\nHost: test\r\n${'X: y\r\n'.repeat(LONG / 4)}\r\n`, 431],
  ['a path that is too long', `GET /${'x'.repeat(LONG)} HTTP/1.1\r\nHost: test\r\n\r\n`, 431],
  ['two lengths', `${POST}Content-Length: 1\r\nContent-Length: 2\r\n\r\nx`, 400],
  ['a length and chunks', `${POST}Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`, 400],
  ['no HTTP', 'hello\r\n\r\n', 400],
  ['a path without UTF-8', 'GET /device/%ff HTTP/1.1\r\nHost: test\r\n\r\n', 400],
  ['an address that is none', 'GET http://[::1/ HTTP/1.1\r\nHost: test\r\n\r\n', 400],
  ['an asterisk', 'OPTIONS * HTTP/1.1\r\nHost: test\r\n\r\n', 401],
  ['a tunnel', 'CONNECT test:80 HTTP/1.1\r\nHost: test\r\n\r\n', 0],
  ['a handshake without a login', handshake('/comms'), 401],
  ['a handshake with a path without UTF-8', handshake('/%ff'), 400],
  ['a handshake with an address that is none', handshake('http://[::1/ws'), 400],
  ['another protocol without a login', handshake('/', { Upgrade: 'h2c', 'HTTP2-Settings': 'AAMAAABkAAQCAAAAAAIAAAAA' }), 401],
]

function flows(): FlowNode[] {
  const tab = new Tab('open')
  const answer = tab.add('http response', { statusCode: '200', headers: {} })
  tab.add('http in', { url: '/device/:id', method: 'get', upload: false }, answer)
  tab.add('http in', { url: '/hook', method: 'post', upload: false }, answer)
  tab.add('http in', { url: '/kept', method: 'post', upload: false })
  tab.add('http in', { url: '/upload', method: 'post', upload: true }, answer)
  const much = tab.add('function', { func: `msg.payload = 'a'.repeat(${MUCH_MORE_BYTES}); return msg`, outputs: 1 }, answer)
  tab.add('http in', { url: '/much', method: 'get', upload: false }, much)
  const listener: FlowNode = { id: 'listener', type: 'websocket-listener', path: '/ws', wholemsg: 'false' }
  const out = tab.add('websocket out', { server: listener.id, client: '' })
  tab.add('websocket in', { server: listener.id, client: '' }, out)
  return [listener, ...flowOf(tab)]
}

describeRuntimes('hostile peers at the editor’s port', (create) => {
  let nodeRed: RunningNodeRedTcp
  let url: string
  let cookie: string
  let started: number
  let slow: TcpClient[]
  let forgotten: TcpClient[]

  beforeAll(async () => {
    nodeRed = await create()
      .withFlow('open', flows())
      .withEnvironment({ HTTP_MAX_CONNECTIONS: String(MAX_CONNECTIONS), TCP_MEMORY: `${MEMORY_BYTES}` })
      .start()
    url = directUrl(nodeRed)
    const body = JSON.stringify({ username: 'admin', password: 'test password' })
    const { headers } = await ask(url, '/auth/token', { method: 'POST', body, headers: { 'content-type': 'application/json' } })
    cookie = headers['set-cookie']![0]!.split(';')[0]!
    started = await metric('process_start_time_seconds')
    slow = await Promise.all(['', 'G', 'GET / HTTP/1.1\r\nHost: te'].map(sentBy))
    forgotten = await Promise.all(['/nobody', '/'].map((path) => sentBy(handshake(path, { Cookie: cookie, Upgrade: 'tunnel' }))))
  })
  afterAll(async () => {
    await nodeRed[Symbol.asyncDispose]()
  })

  async function metric(name: string): Promise<number> {
    const text = await (await fetch(`${nodeRed.getStatusUrl()}/metrics`)).text()
    return Number(
      text
        .split('\n')
        .find((line) => line.startsWith(`${name} `))!
        .slice(name.length),
    )
  }

  async function sentBy(text: string): Promise<TcpClient> {
    const client = await connectTo(url)
    if (text !== '') await client.send(text)
    return client
  }

  async function expectUnharmed(): Promise<void> {
    await using device = await nodeRed.tcp(9503)
    await device.send('still there')
    // What was asked for before has to be worked off first.
    await device.expect('still there', { within: ANSWER_MS })
    expect((await ask(url, '/flows', { headers: { cookie } })).status).toBe(200)
    expect((await ask(url, '/device/7')).status).toBe(200)
    expect(await metric('process_start_time_seconds')).toBe(started)
  }

  test.each(attacks)(`${PEERS} that $name harm nobody`, async ({ act }) => {
    await Promise.all(Array.from({ length: PEERS }, async (_, seed) => await act(await connectTo(url), seed)))
    await expectUnharmed()
  })

  test.each(answered)('%s is answered, and the connection does not stay', async (_name, request, status) => {
    await using client = await connectTo(url)
    // What is too long is answered before it has been taken.
    await client.send(request).catch(() => {})
    // A reset, when more came than was read, takes the answer with it.
    if (status === 431) await client.expectClose()
    if (status !== 0 && !client.wasReset) await client.expect(`HTTP/1.1 ${status} `)
    if (!request.startsWith('OPTIONS')) await client.expectClose()
    await expectUnharmed()
  })

  test.each([
    ['half of a head', 'GET /flows HTTP/1.1\r\nHost: te'],
    ['half of a body', HALF_BODY],
    ['nothing', ''],
    ['an answer already', 'GET /device/7 HTTP/1.1\r\nHost: test\r\n\r\n'],
  ])(`${3 * MAX_CONNECTIONS} held connections with %s keep nobody out`, async (_name, text) => {
    const held: TcpClient[] = []
    for (let count = 0; count < 3 * MAX_CONNECTIONS; count += 1) held.push(await sentBy(text))
    await expectUnharmed()
    await expect.poll(() => held.filter(({ isClosed }) => !isClosed).length).toBeLessThanOrEqual(MAX_CONNECTIONS)
    for (const client of held) client.reset()
    await expectUnharmed()
  })

  test('clients of an open WebSocket that send pings and read nothing are closed', async () => {
    const before = await metric('process_resident_memory_bytes')
    await Promise.all(Array.from({ length: 4 }, floodWithPings))
    expect((await metric('process_resident_memory_bytes')) - before).toBeLessThan(100 * 1024 * 1024)
    await expectUnharmed()
  })

  async function floodWithPings(): Promise<void> {
    const client = await sentBy(handshake('/ws'))
    await client.expect('HTTP/1.1 101')
    client.socket.pause()
    const pings = Buffer.concat(Array.from({ length: PINGS_AT_ONCE }, () => PING))
    let closed = false
    client.socket.once('close', () => (closed = true))
    for (let round = 0; round < MAX_PING_ROUNDS && !closed; round += 1) await client.send(pings).catch(() => (closed = true))
    expect(closed).toBe(true)
  }

  test('a client that waits for no answers is disconnected, and few are taken as ever', async () => {
    await using hasty = await connectTo(url)
    await hasty.send(`${KEPT}Content-Length: 0\r\n\r\n`.repeat(HASTY)).catch(() => {})
    await hasty.expectClose()
    await using client = await sentBy(GET.repeat(MAX_WAITING))
    let answers = ''
    while (answers.split('HTTP/1.1 200 ').length <= MAX_WAITING) answers += String(await client.read(1))
    await expectUnharmed()
  })

  test.each([
    ['/hook', 500],
    ['/auth/token', 400],
  ])(`${MANY_FAILURES} bodies for %s that cannot be read do not fill the log`, async (path, status) => {
    const before = (await logOf(nodeRed)).split('\n').length
    for (let count = 0; count < MANY_FAILURES; count += 1) {
      await using client = await sentBy(`${POST.replace('/hook', path)}${NO_JSON}`)
      await client.expect(`HTTP/1.1 ${status} `)
    }
    expect((await logOf(nodeRed)).split('\n').length - before).toBeLessThanOrEqual(MAX_LINES)
  })

  test.each([
    ['bodies that never end', `${UPLOAD}${2 * MUCH_BYTES}\r\n\r\n${PART}`, Buffer.alloc(MUCH_BYTES, 'a')],
    ['packed bodies', `${PACKED}Content-Length: ${PACKED_MUCH.length}\r\n\r\n`, PACKED_MUCH],
    ['bodies of small objects', `${KEPT}Content-Length: ${MANY_OBJECTS.length}\r\n\r\n`, Buffer.from(MANY_OBJECTS)],
    ['bodies of many keys', `${KEPT}Content-Length: ${MANY_KEYS.length}\r\n\r\n`, Buffer.from(MANY_KEYS)],
    ['messages that never end', handshake('/ws'), Buffer.concat([frameHead(0x81, 2 * MUCH_BYTES), Buffer.alloc(MUCH_BYTES, 'a')])],
    ['messages that never end with pings in between', handshake('/ws'), fragments(MUCH_BYTES)],
    ['answers that nobody takes', 'GET /much HTTP/1.1\r\nHost: test\r\n\r\n', Buffer.alloc(0)],
  ])(`${MANY} clients with %s are bounded by TCP_MEMORY`, async (_what, begin, more) => {
    const before = await metric('node_red_tcp_memory_closed_total')
    const held = await Promise.all(
      Array.from({ length: MANY }, async () => {
        const client = await sentBy(begin)
        if (begin.includes('websocket')) await client.expect('HTTP/1.1 101')
        client.socket.pause()
        if (more.length > 0) await client.send(more).catch(() => {})
        return client
      }),
    )
    const fit = MEMORY_BYTES / MUCH_BYTES
    await expect
      .poll(() => metric('node_red_tcp_memory_closed_total'), { timeout: ANSWER_MS })
      .toBeGreaterThanOrEqual(before + MANY - fit - 1)
    expect(await metric('node_red_tcp_memory_closed_total')).toBeLessThan(before + MANY)
    await expectUnharmed()
    for (const client of held) client.reset()
  })

  test('a request in one-byte chunks is not read to its end, and costs next to nothing', async () => {
    const before = await metric('process_cpu_seconds_total')
    await Promise.all(
      Array.from({ length: MANY }, async () => {
        await using client = await sentBy(TINY_CHUNKS)
        await client.send('1\r\nx\r\n'.repeat(FORM_BYTES)).catch(() => {})
        await client.expectClose({ within: ANSWER_MS })
      }),
    )
    expect((await metric('process_cpu_seconds_total')) - before).toBeLessThan(MANY * CPU_SECONDS)
    await expectUnharmed()
  })

  test.each([
    ['of one piece', Infinity],
    ['of pieces that end in the middle of a boundary', PART.length],
  ])('a form of thousands of files %s is refused', async (_what, most) => {
    await using client = await sentBy(`${UPLOAD}${2 * MUCH_BYTES}\r\n\r\n`)
    const form = `${PART.repeat(MANY_PARTS)}`
    for (let at = 0; at < form.length && !client.isClosed; at += most) await client.send(form.slice(at, at + most)).catch(() => {})
    await client.expectClose()
    await expectUnharmed()
  })

  test('a form with a few files is taken as ever', async () => {
    const form = new FormData()
    for (let count = 0; count < MAX_PARTS; count += 1) form.append('file', new Blob(['text']), 'name.txt')
    expect((await fetch(`${url}/upload`, { method: 'POST', body: form })).status).toBe(200)
  })

  test('long bodies that are whole at the same time are answered, and so are devices', async () => {
    const clients = await Promise.all(
      Array.from({ length: FEW }, () => sentBy(`${POST}Content-Length: ${MANY_OBJECTS.length}\r\n\r\n${MANY_OBJECTS.slice(0, -1)}`)),
    )
    await Promise.all(clients.map((client) => client.send(MANY_OBJECTS.slice(-1))))
    await expectUnharmed()
    await Promise.all(clients.map((client) => client.expect('HTTP/1.1 200 ', { within: ANSWER_MS })))
    for (const client of clients) client.reset()
  })

  test.each([
    ['lists in lists', `${POST}Content-Length: ${DEEP.length}\r\n\r\n`, Buffer.from(DEEP)],
    ['packed lists in lists', `${PACKED}Content-Length: ${gzipSync(DEEP).length}\r\n\r\n`, gzipSync(DEEP)],
  ])('JSON of millions of %s is not read', async (_what, head, body) => {
    await using device = await nodeRed.tcp(9503)
    await using client = await sentBy(head)
    const before = await metric('process_cpu_seconds_total')
    await client.send(body).catch(() => {})
    await client.expectClose({ within: ANSWER_MS })
    await device.send('still there')
    await device.expect('still there')
    expect((await metric('process_cpu_seconds_total')) - before).toBeLessThan(2 * CPU_SECONDS)
    await expectUnharmed()
  })

  test('a packed request, and one of many pieces, are taken as ever', async () => {
    const fields = { text: 'a'.repeat(FORM_BYTES), list: Array.from({ length: 100 }, (_, at) => ({ at })) }
    const headers = { 'content-type': 'application/json' }
    const packed = await ask(url, '/hook', {
      method: 'POST',
      body: gzipSync(JSON.stringify(fields)),
      headers: { ...headers, 'content-encoding': 'gzip' },
    })
    expect(JSON.parse(packed.body)).toEqual(fields)
    await using client = await sentBy(`${POST}Transfer-Encoding: chunked\r\n\r\n`)
    const pieces = JSON.stringify(fields).match(/.{1,30}/g)!
    for (const piece of pieces) await client.send(`${piece.length.toString(16)}\r\n${piece}\r\n`)
    await client.send('0\r\n\r\n')
    await client.expect('HTTP/1.1 200 ')
  })

  test('a WebSocket that only pings is not counted for what it has sent long ago', async () => {
    const before = await metric('node_red_tcp_memory_closed_total')
    await using client = await sentBy(handshake('/ws'))
    await client.expect('HTTP/1.1 101')
    const pings = Buffer.concat(Array.from({ length: FEW_PINGS }, () => PING))
    for (let sent = 0; sent <= MEMORY_BYTES; sent += pings.length) {
      await client.send(pings)
      await client.read(FEW_PINGS * PONG_BYTES)
    }
    await expectUnharmed()
    expect(client.isClosed).toBe(false)
    expect(await metric('node_red_tcp_memory_closed_total')).toBe(before)
  })

  test('a message in thousands of fragments is refused', async () => {
    await using client = await sentBy(handshake('/ws'))
    await client.expect('HTTP/1.1 101')
    await client.send(Buffer.concat([frame(0x01, 1), ...Array.from({ length: MANY_FRAGMENTS }, () => frame(0x00, 1))])).catch(() => {})
    await client.expectClose()
    await expectUnharmed()
  })

  test('a client of a WebSocket that sends and reads nothing is disconnected when its answers pile up', async () => {
    const client = await sentBy(handshake('/ws'))
    await client.expect('HTTP/1.1 101')
    client.socket.pause()
    let closed = false
    client.socket.once('close', () => (closed = true))
    const message = frame(0x81, MUCH_BYTES)
    for (let count = 0; count < MAX_ECHOES && !closed; count += 1) await client.send(message).catch(() => (closed = true))
    await expect.poll(() => closed || client.socket.resume().readableEnded).toBe(true)
    await expectUnharmed()
  })

  test('heads that never end, and handshakes that nobody takes, are not waited for', { timeout: 30_000 }, async () => {
    await Promise.all(forgotten.map((client) => client.expectClose({ within: UPGRADE_TIMEOUT_MS + LATE_MS })))
    await Promise.all(slow.map((client) => client.expectClose({ within: HEADERS_TIMEOUT_MS + LATE_MS })))
    await expectUnharmed()
  })
})

/** Straight to a container: Docker's proxy makes orderly ends of resets. */
function directUrl(nodeRed: RunningNodeRedTcp): string {
  if (!(nodeRed instanceof StartedNodeRedTcpContainer)) return nodeRed.getEditorUrl()
  return `http://${nodeRed.getIpAddress(nodeRed.getNetworkNames()[0]!)}:1880`
}

async function logOf(nodeRed: RunningNodeRedTcp): Promise<string> {
  return nodeRed instanceof StartedNodeRedTcpContainer ? await logsOf(nodeRed.getId()) : (nodeRed as StartedEmbeddedNodeRedTcp).log
}

/** Resets at once, or when an answer may be on its way. */
async function sendAndReset(client: TcpClient, text: string, seed: number): Promise<void> {
  await client.send(text).catch(() => {})
  await new Promise((resolve) => setTimeout(resolve, seed % 6))
  client.reset()
}

async function sendAndEnd(client: TcpClient, text: string): Promise<void> {
  await client.send(text).catch(() => {})
  client.end()
  await client.expectClose({ within: UPGRADE_TIMEOUT_MS + LATE_MS })
}

async function spoil(client: TcpClient, text: string): Promise<void> {
  await client.send(Buffer.from(text, 'latin1')).catch(() => {})
  client.reset()
}

/** The head of a masked frame of a WebSocket; `kind` is its first byte. */
function frameHead(kind: number, bytes: number): Buffer {
  const head = Buffer.alloc(14)
  head.writeUInt16BE((kind << 8) | 0xff)
  head.writeBigUInt64BE(BigInt(bytes), 2)
  return head
}

function frame(kind: number, bytes: number): Buffer {
  return Buffer.concat([frameHead(kind, bytes), Buffer.alloc(bytes, 'a')])
}

/** A message without its end, with a ping after each fragment. */
function fragments(bytes: number): Buffer {
  const count = bytes / FRAGMENT_BYTES
  return Buffer.concat(Array.from({ length: count }, (_, at) => [frame(at === 0 ? 0x01 : 0x00, FRAGMENT_BYTES), PING]).flat())
}

function requests(count: number): string {
  return 'GET /device/7 HTTP/1.1\r\nHost: test\r\n\r\n'.repeat(count)
}

/** The same bytes in every run. */
function garbage(seed: number): string {
  return createHash('shake256', { outputLength: GARBAGE_BYTES }).update(String(seed)).digest().toString('latin1')
}
