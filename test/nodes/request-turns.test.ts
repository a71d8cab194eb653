import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { AdminClient } from '../../src/testing/admin-client.ts'
import type { DebugStream } from '../../src/testing/debug-stream.ts'
import { EmbeddedNodeRedTcp, type StartedEmbeddedNodeRedTcp } from '../../src/testing/embedded-node-red-tcp.ts'
import { TcpPeer } from '../../src/testing/tcp-peer.ts'
import { nextOf } from './defects/defect.ts'
import { flowOf, Tab } from './flow-builder.ts'

// The default of 20 s, for those who cannot wait so long.
const REPLY_MS = 300

let nodeRed: StartedEmbeddedNodeRedTcp
let admin: AdminClient

beforeAll(async () => {
  nodeRed = await new EmbeddedNodeRedTcp().withCommand(['-D', `tcp.replyMs=${REPLY_MS}`, '-D', 'tcpMsgQueueSize=50']).start()
  admin = await nodeRed.admin
})
afterAll(async () => {
  await nodeRed[Symbol.asyncDispose]()
})

type Seen = { topic?: string; payload?: unknown; partial?: boolean; error?: { message: string; cause?: { received?: { data: number[] } } } }

/**
 * How many connections to a port their maker holds just now. The kernel knows: on a busy machine a device sees the end of one after the
 * beginning of the next, though it came before.
 */
function connectionsTo(port: number): number {
  const first = heldConnectionsTo(port)
  if (first.size < 2) return first.size
  // While the list is read one may end and another begin: both are there only if they still are.
  const again = heldConnectionsTo(port)
  return [...first].filter((connection) => again.has(connection)).length
}

/** The addresses of those who hold one. */
function heldConnectionsTo(port: number): Set<string> {
  // Established, being made, and ended by the other side alone: include/net/tcp_states.h of Linux.
  const held = ['01', '02', '08']
  const remote = `:${port.toString(16).toUpperCase().padStart(4, '0')}`
  const rows = readFileSync('/proc/net/tcp', 'utf8').trim().split('\n').slice(1)
  const fields = rows.map((row) => row.trim().split(/\s+/))
  return new Set(fields.filter(([, , to, state]) => to!.endsWith(remote) && held.includes(state!)).map(([, from]) => from!))
}

/** A device of this test, with connections that stay half-open until it ends them. */
class Device implements AsyncDisposable {
  readonly port: number
  readonly sockets = new Set<Socket>()
  connections = 0
  mostAtOnce = 0
  private readonly server: Server

  private constructor(server: Server) {
    this.server = server
    this.port = (server.address() as AddressInfo).port
  }

  static async start(serve: (socket: Socket, connection: number) => void): Promise<Device> {
    const server = createServer({ allowHalfOpen: true, noDelay: true })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const device = new Device(server)
    server.on('connection', (socket) => {
      device.sockets.add(socket)
      device.connections += 1
      device.mostAtOnce = Math.max(device.mostAtOnce, connectionsTo(device.port))
      socket.on('error', () => {})
      socket.on('close', () => device.sockets.delete(socket))
      serve(socket, device.connections)
    })
    return device
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.sockets) socket.destroy()
    this.server.close()
    await once(this.server, 'close')
  }
}

/** Deploys a tcp request; `ask` sends it messages at once, made by a function of their number. */
async function deployRequest({ port }: { port: number }, properties: Record<string, unknown>) {
  const tab = new Tab('turns')
  const request = tab.tcpRequest({ server: '127.0.0.1', port: String(port), ret: 'string', ...properties }, tab.debug('seen'))
  tab.add('catch', { scope: null, uncaught: false }, tab.debug('caught'))
  tab.add('complete', { scope: [request.id], uncaught: false }, tab.debug('completed', 'topic'))
  tab.add('status', { scope: [request.id] }, tab.debug('status', 'status'))
  const buttons: Record<string, Seen[]> = {
    a: [{ payload: 'a', topic: 'a' }],
    bc: ['b', 'c'].map((payload) => ({ payload, topic: payload })),
  }
  for (const [name, messages] of Object.entries(buttons)) send(tab, name, `return [${JSON.stringify(messages)}]`, request)
  send(tab, 'forty', 'return [Array.from({ length: 40 }, (_, n) => ({ payload: `<${n}>`, topic: String(n) }))]', request)
  send(tab, 'mebibytes', 'return [Array.from({ length: 20 }, (_, n) => ({ payload: Buffer.alloc(1 << 20), topic: String(n) }))]', request)
  send(tab, 'big', 'return { payload: Buffer.alloc(32 << 20), topic: "big" }', request)
  await admin.deploy(flowOf(tab))
  return await admin.debug()
}

function send(tab: Tab, name: string, func: string, ...wires: Parameters<Tab['inject']>[2][]): void {
  const make = tab.add('function', { func, outputs: 1, timeout: 0, noerr: 0, initialize: '', finalize: '', libs: [] }, ...wires)
  tab.inject(name, [], make)
}

async function next(debug: DebugStream, name: string, within = 5_000): Promise<Seen> {
  const msg = await nextOf(debug, name, within)
  return (msg === 'nothing' ? {} : JSON.parse(msg)) as Seen
}

/** Which of the answers and errors come, until as many have come. */
async function outcomes(debug: DebugStream, count: number): Promise<{ seen: string[]; caught: string[] }> {
  const seen: string[] = []
  const caught: string[] = []
  while (seen.length + caught.length < count) {
    const { name, msg } = await debug.next((message) => message.name === 'seen' || message.name === 'caught', { within: 10_000 })
    ;(name === 'seen' ? seen : caught).push(String((JSON.parse(msg) as Seen).topic))
  }
  return { seen, caught }
}

test('a request that is never answered gives way to those that wait, with an error of its own', async () => {
  await using device = await Device.start((socket) =>
    socket.on('data', (data) => String(data) !== 'a' && socket.write(`re:${String(data)}`)),
  )
  await using debug = await deployRequest(device, { separate: true })
  await admin.inject('a')
  await admin.inject('bc')
  const { topic, payload, error } = await next(debug, 'caught')
  expect({ topic, payload, message: error?.message }).toEqual({
    topic: 'a',
    payload: 'a',
    message: `127.0.0.1:${device.port} has not answered within ${REPLY_MS} ms`,
  })
  expect([await next(debug, 'seen'), await next(debug, 'seen')]).toMatchObject([
    { topic: 'b', payload: 're:b' },
    { topic: 'c', payload: 're:c' },
  ])
})

test('an answer that is one byte short says how much came, and what', async () => {
  await using device = await Device.start((socket) => socket.on('data', () => socket.write('1234567')))
  await using debug = await deployRequest(device, { out: 'count', splitc: '8', separate: true })
  await admin.inject('a')
  await admin.inject('bc')
  const { topic, error } = await next(debug, 'caught')
  expect(topic).toBe('a')
  expect(error?.message).toBe(
    `7 of 8 bytes came from 127.0.0.1:${device.port}, and nothing more within ${REPLY_MS} ms: 31 32 33 34 35 36 37`,
  )
  expect(Buffer.from(error?.cause?.received?.data ?? []).toString()).toBe('1234567')
})

test('an answer that trickles in without an end does not keep others waiting for ever', async () => {
  await using device = await Device.start((socket, connection) => {
    if (connection > 1) return void socket.on('data', () => socket.write('whole\n'))
    const timer = setInterval(() => socket.write('.'), REPLY_MS / 3)
    socket.on('close', () => clearInterval(timer))
  })
  await using debug = await deployRequest(device, { out: 'char', splitc: '\\n', separate: true })
  await admin.inject('a')
  await admin.inject('bc')
  const { topic, error } = await next(debug, 'caught', 10_000)
  expect(topic).toBe('a')
  expect(error?.message).toMatch(/^\d+ bytes without 0A at the end came from .* within 3000 ms, while others wait: 2E 2E/)
  expect(await next(debug, 'seen')).toMatchObject({ topic: 'b', payload: 'whole\n' })
})

test('a request that keeps nobody waiting has all the time it takes', async () => {
  await using peer = await TcpPeer.listen()
  await using debug = await deployRequest(peer, { out: 'char', splitc: '\\n' })
  await admin.inject('a')
  const connection = await peer.accept()
  await connection.expect('a')
  expect(await nextOf(debug, 'caught', REPLY_MS * 3)).toBe('nothing')
  await connection.send('late but fine\n')
  expect(await next(debug, 'seen')).toMatchObject({ topic: 'a', payload: 'late but fine\n' })
})

test('the status says how many requests wait, and how many connections there are', async () => {
  await using peer = await TcpPeer.listen()
  await using debug = await deployRequest(peer, { separate: true, replyTimeout: '0' })
  await admin.inject('a')
  await (await peer.accept()).expect('a')
  await admin.inject('bc')
  await debug.next(
    ({ name, msg }) =>
      name === 'status' && msg.includes('"waiting":2') && msg.includes('"text":"1 connection"') && msg.includes('"connections":1'),
  )
  // What waits would go on with the next test's node.
  await admin.deploy([])
})

test('a time-out of the node counts for an answer’s first byte where the rest is a matter of time', async () => {
  await using device = await Device.start((socket) => socket.on('data', () => socket.write('answer')))
  await using debug = await deployRequest(device, { splitc: '600', replyTimeout: '200' })
  await admin.inject('a')
  expect(await next(debug, 'seen')).toMatchObject({ topic: 'a', payload: 'answer' })
  expect(await nextOf(debug, 'caught', 200)).toBe('nothing')
})

test('a device that takes one connection at a time is never asked by two, and every request gets its answer', async () => {
  await using device = await Device.start((socket) => socket.on('data', (data) => setTimeout(() => socket.end(`re:${String(data)}`), 5)))
  await using debug = await deployRequest(device, { separate: true })
  await admin.inject('forty')
  const all = Array.from({ length: 40 }, (_, index) => String(index))
  expect(await outcomes(debug, 40)).toEqual({ seen: all, caught: [] })
  expect({ connections: device.connections, mostAtOnce: device.mostAtOnce }).toEqual({ connections: 40, mostAtOnce: 1 })
})

test.each(['time', 'char', 'count'])('%s: whatever the device does, each request ends once', async (out) => {
  const moods: ((socket: Socket) => void)[] = [
    (socket) => socket.end('1234567\n'),
    (socket) => socket.write('1234567\n'),
    (socket) => socket.end(),
    (socket) => socket.resetAndDestroy(),
    (socket) => socket.write('123', () => socket.resetAndDestroy()),
    (socket) => socket.end('123'),
    (socket) => socket.end('1234567\nand more'),
    () => {},
  ]
  await using device = await Device.start((socket, connection) =>
    socket.once('data', () => moods[(connection * 3) % moods.length]!(socket)),
  )
  const splitc = { time: '0', char: '\\n', count: '8' }[out]
  await using debug = await deployRequest(device, { out, splitc, separate: true, replyTimeout: '50' })
  await admin.inject('forty')
  const { seen, caught } = await outcomes(debug, 40)
  expect([...seen, ...caught].map(Number).sort((a, b) => a - b)).toEqual(Array.from({ length: 40 }, (_, index) => index))
  expect({ connections: device.connections, mostAtOnce: device.mostAtOnce }).toEqual({ connections: 40, mostAtOnce: 1 })
})

test('a deleted node leaves no connection behind, and makes none', async () => {
  await using device = await Device.start((socket, connection) => socket.once('data', () => connection === 1 && socket.end('answer')))
  await using _debug = await deployRequest(device, { separate: true })
  await admin.inject('forty')
  await expect.poll(() => device.connections).toBe(2)
  await admin.deploy([])
  await expect.poll(() => device.mostAtOnce === 1 && [...device.sockets].every(({ readableEnded }) => readableEnded)).toBe(true)
  expect(device.connections).toBe(2)
})

test('without an answer: connections go also where the peer keeps its side', async () => {
  await using device = await Device.start((socket) => socket.resume())
  await using debug = await deployRequest(device, { out: 'immed', separate: true })
  const before = await descriptors()
  await admin.inject('forty')
  for (let index = 0; index < 40; index += 1) expect(await nextOf(debug, 'completed', 5_000)).toBe(String(index))
  await expect.poll(descriptors).toBeLessThanOrEqual(before + 3)
})

test('without an answer: a peer that does not read is given up, and the next one is sent', async () => {
  await using device = await Device.start((socket, connection) => connection > 1 && socket.resume())
  await using debug = await deployRequest(device, { out: 'immed', separate: true })
  await admin.inject('big')
  await expect.poll(() => device.connections).toBe(1)
  await admin.inject('a')
  expect((await next(debug, 'caught')).error?.message).toMatch(/has taken nothing more within 300 ms: \d+ bytes still wait/)
  expect(await nextOf(debug, 'completed')).toBe('a')
})

test('a connection that stays holds no more than the write limit for a peer that does not read', async () => {
  await using device = await Device.start((socket) => socket.pause())
  await using debug = await deployRequest(device, { out: 'sit', writeBuffer: '3000000', slowPeer: 'error' })
  await admin.inject('a')
  await expect.poll(() => device.connections).toBe(1)
  await admin.inject('mebibytes')
  expect((await next(debug, 'caught')).error?.message).toMatch(/takes its bytes too slowly: \d+ bytes wait, .* limit of 3000000/)
})

test('requests that wait are bounded, in number and in bytes', async () => {
  await using device = await Device.start((socket) => socket.resume())
  await using debug = await deployRequest(device, { separate: true, replyTimeout: '0', writeBuffer: '5000000' })
  await admin.inject('a')
  await expect.poll(() => device.connections).toBe(1)
  await admin.inject('forty')
  await admin.inject('bc')
  await admin.inject('forty')
  expect((await next(debug, 'caught')).error?.message).toMatch(/^more than 50 requests wait for 127\.0\.0\.1:\d+; the oldest request/)
  await admin.inject('mebibytes')
  await debug.next(({ name, msg }) => name === 'caught' && /more than 5000000 bytes wait/.test(msg))
})

test.each([
  ['\\x03', 'one\\two\x03rest', 'one\\two\x03'],
  ['\\r\\n', 'one\rtwo\r\nrest', 'one\rtwo\r\n'],
  ['0x0D0A', 'one\rtwo\r\nrest', 'one\rtwo\r\n'],
  ['\\', 'one\\two', 'one\\'],
  ['中', 'one-two中rest', 'one-two中'],
])('the character %j ends a reply as a delimiter of tcp in would', async (splitc, answer, reply) => {
  // Byte by byte, so that it is found across chunks.
  await using device = await Device.start((socket) =>
    socket.on('data', () => {
      for (const byte of Buffer.from(answer)) socket.write(Buffer.of(byte))
    }),
  )
  await using debug = await deployRequest(device, { out: 'char', splitc })
  await admin.inject('a')
  expect(await next(debug, 'seen')).toMatchObject({ payload: reply })
})

async function descriptors(): Promise<number> {
  const metrics = await (await fetch(`${nodeRed.getStatusUrl()}/metrics`)).text()
  return Number(/^process_open_fds (\d+)/m.exec(metrics)?.[1])
}
