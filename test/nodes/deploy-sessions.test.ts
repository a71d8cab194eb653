import { once } from 'node:events'
import { connect as connectTls, type TLSSocket } from 'node:tls'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { AdminClient, DeploymentType, FlowNode } from '../../src/testing/admin-client.ts'
import { createAuthority, type Certificate } from '../../src/testing/certificates.ts'
import type { StartedEmbeddedNodeRedTcp } from '../../src/testing/embedded-node-red-tcp.ts'
import { freePort } from '../../src/testing/free-port.ts'
import type { TcpClient } from '../../src/testing/tcp-client.ts'
import { TcpPeer } from '../../src/testing/tcp-peer.ts'
import { probed, withProbe } from './deploys/probed.ts'
import { flowOf, Tab, tlsConfig } from './flow-builder.ts'

// More than the buffers of both kernels take.
const REPLY_BYTES = 12 * 1024 * 1024
// What SIGTERM gives a slow reader, too.
const FINISH_MS = 5_000
const READ_STEP_MS = 100

const { ca, issue } = createAuthority()
const [oldCertificate, newCertificate] = [issue('old.test'), issue('new.test')]

let nodeRed: StartedEmbeddedNodeRedTcp
let admin: AdminClient
let names = 0

beforeAll(async () => {
  nodeRed = await withProbe().start()
  admin = await nodeRed.admin
})
afterAll(async () => {
  await nodeRed[Symbol.asyncDispose]()
})

/** Names that no other test uses: probes note by name. */
const nameOf = (what: string) => `${what} ${(names += 1)}`

async function seen(name: string) {
  return (await probed(admin, name)).seen
}

const payloads = async (name: string) => (await seen(name)).map(({ payload }) => payload)

type ShownSession = { remotePort: number; bufferedBytes?: number }
const sessions = async () => (await (await fetch(`${nodeRed.getStatusUrl()}/sessions`)).json()) as ShownSession[]

async function connected(port: number): Promise<TcpClient> {
  const client = await nodeRed.tcp(port)
  await expect.poll(async () => (await sessions()).map(({ remotePort }) => remotePort)).toContain(client.localPort)
  return client
}

/** A tab whose tcp in nodes answer anything with a long reply. */
function answersWithMuch(ports: Record<string, unknown>[], caught: string, completed: string): Tab {
  const tab = new Tab('much')
  const output = tab.tcpOut({ writeBuffer: 64 * 1024 * 1024 })
  const grow = tab.add('function', { func: `msg.payload = Buffer.alloc(${REPLY_BYTES}, 120); return msg`, outputs: 1 }, output)
  for (const properties of ports) tab.tcpIn(properties, grow)
  tab.add('catch', { scope: null, uncaught: false }, tab.add('probe', { name: caught }))
  tab.add('complete', { scope: [output.id], uncaught: false }, tab.add('probe', { name: completed }))
  return tab
}

/** Asks for much, and reads nothing yet. */
async function asks(port: number): Promise<TcpClient> {
  const client = await connected(port)
  client.socket.pause()
  await client.send('ask')
  const waiting = async () => (await sessions()).find((session) => session.remotePort === client.localPort)?.bufferedBytes ?? 0
  await expect.poll(waiting).toBeGreaterThan(0)
  return client
}

/** Reads a part every now and then, so that all takes about `ms`. */
async function readSlowly(client: TcpClient, ms: number): Promise<number> {
  let bytes = 0
  client.socket.on('data', (chunk) => (bytes += chunk.length))
  for (let part = 1; !client.isClosed; part += 1) {
    client.socket.resume()
    while (!client.isClosed && bytes < (part * REPLY_BYTES * READ_STEP_MS) / ms && bytes < REPLY_BYTES) await sleep(1)
    if (bytes < REPLY_BYTES) client.socket.pause()
    await sleep(READ_STEP_MS)
  }
  return bytes
}

test.each<DeploymentType>(['full', 'nodes', 'reload'])(
  '%s: a connect event, marked as adopted, for each session that is taken over',
  async (type) => {
    const [name, port] = [nameOf('status'), await freePort()]
    await using peer = await TcpPeer.listen()
    const tab = new Tab('events')
    const input = tab.tcpIn({ port: String(port) }, tab.tcpOut({}))
    const dialling = tab.tcpIn({ server: 'client', host: '127.0.0.1', port: String(peer.port) })
    tab.add('status', { scope: [input.id, dialling.id] }, tab.add('probe', { name }))
    await admin.deploy(flowOf(tab))
    await using _end = await peer.accept()
    await using one = await connected(port)
    await using two = await connected(port)
    const events = async () => (await seen(name)).map(({ status }) => status).filter((status) => status?.event === 'connect')
    await expect.poll(events).toHaveLength(2)
    const before = await events()
    expect(before.filter((status) => 'adopted' in status!)).toEqual([])
    input.topic = dialling.topic = 'changed'
    await admin.deploy(flowOf(tab), type)
    await expect.poll(events).toHaveLength(5)
    const adopted = (await events()).slice(2)
    expect(adopted.every((status) => status!.adopted === true)).toBe(true)
    expect(adopted.map((status) => status!.port).sort()).toEqual([one.localPort, two.localPort, peer.port].sort())
    const ids = adopted.map((status) => (status!._session as { id: string }).id)
    for (const status of before) expect(ids).toContain((status!._session as { id: string }).id)
    await using three = await connected(port)
    await expect.poll(events).toHaveLength(6)
    expect((await events())[5]).toMatchObject({ port: three.localPort })
    expect((await events())[5]).not.toHaveProperty('adopted')
  },
)

test('maxPending: a session is read on after deploys that come while its messages are in work, and the limit in force holds', async () => {
  const [port, ...others] = [await freePort(), await freePort(), await freePort(), await freePort()] as const
  const limits: [number, number | '', DeploymentType, number][] = [
    [port, 2, 'full', 600],
    [others[0], 2, 'reload', -1],
    [others[1], '', 'nodes', 600],
    [others[2], 1, 'nodes', -1],
  ]
  for (const [at, after, type, holdMs] of limits) {
    const name = nameOf('pending')
    const build = (topic: string, maxPending: number | '') => {
      const tab = new Tab('pending')
      tab.tcpIn(
        { port: String(at), datatype: 'utf8', newline: '\\n', topic, maxPending },
        tab.add('probe', { name, holdMs, closeMs: 0, topic }),
      )
      return flowOf(tab)
    }
    await admin.deploy(build('first', 2))
    await using client = await connected(at)
    await client.send('1\n2\n3\n4\n5\n6\n')
    await expect.poll(() => payloads(name)).toEqual(['1', '2'])
    await admin.deploy(build('second', after), type)
    // What never completes is no message in work any more once its node has gone; after that the limit counts anew.
    if (holdMs < 0 && type === 'reload') await expect.poll(() => payloads(name)).toEqual(['1', '2', '3', '4'])
    else if (holdMs < 0) await expect.poll(() => payloads(name)).toEqual(['1', '2', '3'])
    else await expect.poll(() => payloads(name)).toEqual(['1', '2', '3', '4', '5', '6'])
  }
})

test('lists of addresses count for those who are in; other limits for those who come', async () => {
  const port = await freePort()
  const tab = new Tab('lists')
  const input = tab.tcpIn({ port: String(port) }, tab.tcpOut({}))
  await admin.deploy(flowOf(tab))
  await using first = await connected(port)
  await using second = await connected(port)
  const echoes = async (client: TcpClient) => {
    await client.send('x')
    await client.expect('x')
  }
  input.maxConnections = 1
  await admin.deploy(flowOf(tab), 'nodes')
  for (const client of [first, second]) await echoes(client)
  await using third = await nodeRed.tcp(port)
  await third.expectClose()
  input.allow = '127.0.0.0/8'
  await admin.deploy(flowOf(tab), 'nodes')
  await echoes(first)
  input.deny = '127.0.0.1'
  await admin.deploy(flowOf(tab), 'full')
  for (const client of [first, second]) {
    await client.expectClose()
    expect(client.wasReset).toBe(true)
  }
})

test('a message whose bytes are being written when all is replaced completes', async () => {
  const [caught, completed, port] = [nameOf('caught'), nameOf('completed'), await freePort()]
  const build = (topic: string) => flowOf(answersWithMuch([{ port: String(port), topic }], caught, completed))
  await admin.deploy(build('first'))
  await using client = await asks(port)
  await admin.deploy(build('second'))
  expect(await seen(completed)).toEqual([])
  client.socket.resume()
  await client.read(REPLY_BYTES, { within: 20_000 })
  await expect.poll(() => seen(completed)).toHaveLength(1)
  expect(await seen(caught)).toEqual([])
})

test('deleted, on another port, at another address: who reads gets all, who does not is reset in time, and the messages tell', async () => {
  const [caught, completed] = [nameOf('caught'), nameOf('completed')]
  const [deleted, moved, rebound] = [await freePort(), await freePort(), await freePort()]
  const listening = [{ port: String(deleted) }, { port: String(moved) }, { port: String(rebound) }]
  await admin.deploy(flowOf(answersWithMuch(listening, caught, completed)))
  const readers = await Promise.all([asks(deleted), asks(moved), asks(rebound)])
  const others = await Promise.all([asks(deleted), asks(moved), asks(rebound)])
  const changed = answersWithMuch(
    [{ port: String(deleted) }, { port: String(await freePort()) }, { port: String(rebound), bind: '0.0.0.0' }],
    caught,
    completed,
  )
  const inputs = changed.nodes.filter(({ type }) => type === 'tcp in')
  changed.nodes.splice(changed.nodes.indexOf(inputs[0]!), 1)
  await admin.deploy(flowOf(changed))
  expect(await Promise.all(readers.map((client) => readSlowly(client, FINISH_MS / 2)))).toEqual(readers.map(() => REPLY_BYTES))
  expect(readers.filter(({ wasReset }) => wasReset)).toEqual([])
  await expect.poll(async () => (await seen(completed)).length).toBe(readers.length)
  await expect.poll(async () => (await seen(caught)).length, { timeout: 3 * FINISH_MS }).toBe(others.length)
  expect((await seen(caught))[0]!.error).toMatchObject({
    code: 'SESSION_CLOSED',
    message: expect.stringContaining(`within ${FINISH_MS} ms`) as string,
  })
  for (const client of others) {
    client.socket.resume()
    await client.expectClose()
    expect(client.wasReset).toBe(true)
  }
})

test('what waits for a connection goes on waiting with the next instance, and is sent in order', async () => {
  const [caught, completed] = [nameOf('caught'), nameOf('completed')]
  const [gate, port, elsewhere] = [await freePort(), await freePort(), await freePort()]
  const build = (topic: string, properties: Record<string, unknown> = {}) => {
    const tab = new Tab('queue')
    const output = tab.tcpOut({ beserver: 'client', host: '127.0.0.1', port: String(port), offline: 'queue', name: topic, ...properties })
    tab.tcpIn({ port: String(gate), datatype: 'utf8', newline: '\\n', trim: true }, output)
    tab.add('catch', { scope: null, uncaught: false }, tab.add('probe', { name: caught }))
    tab.add('complete', { scope: [output.id], uncaught: false }, tab.add('probe', { name: completed }))
    return flowOf(tab)
  }
  await admin.deploy(build('first'))
  await using source = await connected(gate)
  await source.send('1\n2\n')
  await admin.deploy(build('second'))
  await source.send('3\n')
  await admin.deploy(build('third'), 'nodes')
  await admin.deploy(build('third'), 'reload')
  expect(await seen(caught)).toEqual([])
  {
    await using peer = await TcpPeer.listen(port)
    const there = await peer.accept()
    await there.expect('1\n2\n3\n')
    await expect.poll(() => payloads(completed)).toEqual(['1\n', '2\n', '3\n'])
  }
  await expect.poll(async () => (await sessions()).some(({ remotePort }) => remotePort === port)).toBe(false)
  await source.send('4\n')
  await admin.deploy(build('fourth', { port: String(elsewhere) }))
  await using moved = await TcpPeer.listen(elsewhere)
  const here = await moved.accept()
  await here.expect('4\n')
  await moved.close()
  await expect.poll(async () => (await sessions()).some(({ remotePort }) => remotePort === elsewhere)).toBe(false)
  await source.send('5\n')
  await admin.deploy(build('fifth', { port: String(elsewhere), offline: 'error' }))
  await expect.poll(async () => (await seen(caught)).map(({ error }) => error?.code)).toEqual(['NOT_CONNECTED'])
})

test('another certificate counts for those who come, and drops nobody; other demands do', async () => {
  const port = await freePort()
  const build = (certificate: Certificate, properties: Record<string, unknown> = {}): FlowNode[] => {
    const tab = new Tab('tls')
    tab.tcpIn({ port: String(port), tls: 'tls-1', ...properties }, tab.tcpOut({}))
    return [...flowOf(tab), tlsConfig(certificate, { ca })]
  }
  const open = async (): Promise<TLSSocket> => {
    const socket = connectTls({ port, host: '127.0.0.1', ca, checkServerIdentity: () => undefined })
    await once(socket, 'secureConnect')
    return socket
  }
  const echoes = async (socket: TLSSocket) => {
    socket.write('x')
    expect(String((await once(socket, 'data'))[0])).toBe('x')
  }
  await admin.deploy(build(oldCertificate))
  const old = await open()
  await echoes(old)
  await admin.deploy(build(newCertificate), 'nodes')
  await echoes(old)
  const next = await open()
  expect(next.getPeerCertificate().subject.CN).toBe('new.test')
  await echoes(next)
  const gone = Promise.all([
    once(
      old.on('error', () => {}),
      'close',
    ),
    once(
      next.on('error', () => {}),
      'close',
    ),
  ])
  await admin.deploy(build(newCertificate, { clientCert: 'require' }), 'nodes')
  await gone
})

test('sessions stay where a group, an environment variable or a subflow template changes, and go with a tab that is disabled', async () => {
  const [grouped, inside] = [await freePort(), await freePort()]
  const build = (value: string, disabled = false): FlowNode[] => {
    const tab = new Tab('stays')
    const input = tab.tcpIn({ port: String(grouped), topic: '${WORD}', g: 'group-1' }, tab.tcpOut({ g: 'group-1' }))
    const instance = tab.add('subflow:template', {})
    Object.assign(tab.nodes[0]!, { disabled, env: [{ name: 'OUTER', value, type: 'str' }] })
    const group = {
      id: 'group-1',
      type: 'group',
      z: tab.id,
      name: '',
      nodes: [input.id],
      env: [{ name: 'WORD', value, type: 'str' }],
      x: 0,
      y: 0,
      w: 10,
      h: 10,
    }
    const template = { id: 'template', type: 'subflow', name: value, in: [], out: [], env: [] }
    const place = { z: 'template', name: value, x: 10, y: 10 }
    const output = { id: 'inner-out', type: 'tcp out', beserver: 'reply', base64: false, end: false, wires: [], ...place }
    const inner = {
      id: 'inner-in',
      type: 'tcp in',
      server: 'server',
      port: String(inside),
      datamode: 'stream',
      datatype: 'buffer',
      newline: '',
      wires: [['inner-out']],
      ...place,
    }
    void instance
    return [template, inner, output, group, ...flowOf(tab)]
  }
  await admin.deploy(build('one'))
  await using one = await connected(grouped)
  await using two = await connected(inside)
  for (const type of ['nodes', 'flows', 'full'] as const) {
    await admin.deploy(build(`for ${type}`), type)
    for (const client of [one, two]) {
      await client.send(type)
      await client.expect(type)
    }
  }
  await admin.deploy(build('for full', true), 'nodes')
  for (const client of [one, two]) await client.expectClose()
})
