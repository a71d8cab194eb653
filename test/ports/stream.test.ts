import { once } from 'node:events'
import { createServer } from 'node:http'
import { connect, type AddressInfo } from 'node:net'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { openStream, type Stream } from '../../src/plugins/status/stream.ts'
import type { ClientFact, PortsSnapshot } from '../../src/ports/shared/facts.ts'
import type { AdminClient, FlowNode } from '../../src/testing/admin-client.ts'
import { EventStream } from '../../src/testing/event-stream.ts'
import { freePort } from '../../src/testing/free-port.ts'
import { describeRuntimes, type RunningNodeRedTcp } from '../support/runtimes.ts'
import { Tab } from '../nodes/flow-builder.ts'

const MAX_STREAMS = 16
const QUICK_MS = 2_000

const stateOf = (snapshot: PortsSnapshot, port: number) => snapshot.listeners.find((listener) => listener.port === port)?.state
const listens = (port: number) => (snapshot: PortsSnapshot) => stateOf(snapshot, port) === 'listening'
const isGone = (port: number) => (snapshot: PortsSnapshot) => stateOf(snapshot, port) === undefined

describeRuntimes('the stream of ports', (create) => {
  let nodeRed: RunningNodeRedTcp
  let admin: AdminClient
  let provisioned: FlowNode[]
  beforeAll(async () => {
    nodeRed = await create().withEnvironment({ FUNCTION_EXTERNAL_MODULES: 'true', ASSISTANT_HOST: '127.0.0.1' }).start()
    admin = await nodeRed.admin
    provisioned = await admin.flows()
  })
  beforeEach(async () => {
    await admin.deploy(provisioned, 'nodes')
  })
  afterAll(async () => {
    await nodeRed[Symbol.asyncDispose]()
  })

  test('tells what is listened on, at once and after every deploy', async () => {
    const port = await freePort()
    await using stream = await EventStream.open(`${nodeRed.getStatusUrl()}/listeners/stream`)
    const first = await stream.next<PortsSnapshot>()
    expect(first.flows).toBe('started')
    expect(first.listeners.filter(({ role }) => role === 'flow')).toHaveLength(3)
    expect(first.listeners.map(({ role }) => role)).toEqual(expect.arrayContaining(['editor', 'status']))

    const tab = new Tab('live')
    tab.tcpIn({ name: 'meters', port: String(port) })
    await admin.deploy([...provisioned, ...tab.nodes], 'nodes')
    const { listeners } = await stream.next(listens(port), { within: QUICK_MS })
    const fact = listeners.find((listener) => listener.port === port)
    expect(fact).toMatchObject({ role: 'flow', clients: 0, declaredBy: [{ type: 'tcp in', name: 'meters', flow: 'live' }] })
    await admin.deploy(provisioned, 'nodes')
    await stream.next(isGone(port), { within: QUICK_MS })
  })

  test('a port that a function opens counts as well', async () => {
    const port = await freePort()
    const tab = new Tab('other')
    tab.add('function', {
      name: 'own server',
      func: '',
      initialize: `context.server = net.createServer().listen(${port})`,
      finalize: 'context.server.close()',
      outputs: 1,
      libs: [{ var: 'net', module: 'net' }],
    })
    await using stream = await EventStream.open(`${nodeRed.getStatusUrl()}/listeners/stream`)
    await admin.deploy([...provisioned, ...tab.nodes], 'nodes')
    const { listeners } = await stream.next(listens(port), { within: QUICK_MS })
    expect(listeners.find((listener) => listener.port === port)).toMatchObject({
      role: 'flow',
      declaredBy: [{ type: 'function', name: 'own server', flow: 'other' }],
    })
    await admin.deploy(provisioned, 'nodes')
    await stream.next(isGone(port), { within: QUICK_MS })
  })

  test('tells how many clients there are', async () => {
    await using stream = await EventStream.open(`${nodeRed.getStatusUrl()}/listeners/stream`)
    const withClient = ({ listeners }: PortsSnapshot) => listeners.some(({ clients }) => clients === 1)
    await using client = await nodeRed.tcp(9503)
    await stream.next(withClient)
    client.end()
    await stream.next((snapshot: PortsSnapshot) => !withClient(snapshot))
  })

  test('two nodes on one port: one listens, and why the other does not', async () => {
    const port = await freePort()
    const tab = new Tab('twice')
    tab.tcpIn({ name: 'one', port: String(port) })
    tab.tcpIn({ name: 'two', port: String(port) })
    await using stream = await EventStream.open(`${nodeRed.getStatusUrl()}/listeners/stream`)
    await admin.deploy([...provisioned, ...tab.nodes], 'nodes')
    const both = ({ listeners }: PortsSnapshot) => listeners.filter((listener) => listener.port === port).length === 2
    const { listeners } = await stream.next(both)
    expect(listeners.filter((listener) => listener.port === port)).toMatchObject([
      { state: 'listening', declaredBy: [{ name: 'one' }] },
      { state: 'failed', error: { code: 'EADDRINUSE' }, declaredBy: [{ name: 'two' }] },
    ])
  })

  test('opens 16 streams and says so to the next one', async () => {
    const url = `${nodeRed.getStatusUrl()}/listeners/stream`
    const streams: EventStream[] = []
    while (streams.length < MAX_STREAMS) streams.push(await EventStream.open(url))
    const refused = await fetch(url)
    expect([refused.status, await refused.json()]).toEqual([503, { error: expect.stringContaining('16 streams are open') }])
    await streams.pop()![Symbol.asyncDispose]()
    await expect
      .poll(
        async () =>
          await EventStream.open(url)
            .then((stream) => streams.push(stream))
            .catch(() => 0),
      )
      .toBe(MAX_STREAMS)
    for (const stream of streams) await stream[Symbol.asyncDispose]()
  })

  test('shows the connections that flows make', async () => {
    const clients = async () => (await (await fetch(`${nodeRed.getStatusUrl()}/clients`)).json()) as ClientFact[]
    await expect.poll(clients).toContainEqual({
      host: '127.0.0.1',
      port: 9601,
      state: 'waiting',
      error: expect.stringContaining('ECONNREFUSED'),
      code: 'ECONNREFUSED',
      isToAssistant: true,
      usedBy: { node: expect.any(String), type: 'tcp in', name: expect.stringMatching(/^connect to \d+$/), flow: 'TCP in · client' },
    })
  })

  test('one port: 200 when it is listened on, 503 when not, 400 when it is none', async () => {
    const ask = async (path: string) => await fetch(`${nodeRed.getStatusUrl()}/listeners/${path}`)
    await using stream = await EventStream.open(`${nodeRed.getStatusUrl()}/listeners/stream`)
    const { listeners } = await stream.next<PortsSnapshot>()
    const { port } = listeners.find(({ role }) => role === 'flow')!
    expect(await (await ask(String(port))).json()).toMatchObject({ port, state: 'listening' })
    const other = await ask('65000')
    expect([other.status, await other.json()]).toEqual([503, { port: 65000, state: 'nothing' }])
    for (const none of ['0', '70000', 'abc', '-1', '1.5']) expect((await ask(none)).status, none).toBe(400)
    for (const query of ['published=0.0.0.0', 'published=host:80', 'published=1.2.3.4:0', 'problem=NONE', 'problem=REFUSED&hostPort=0']) {
      expect((await ask(`${port}?${query}`)).status, query).toBe(400)
    }
  })
})

test('a reader that takes nothing is dropped, and the others are not', async () => {
  const big: PortsSnapshot = { flows: 'started', listeners: [], clients: [] }
  Object.assign(big, { padding: 'x'.repeat(256 * 1024) })
  const followers = new Set<(snapshot: PortsSnapshot) => void>()
  const source = {
    streams: new Set<Stream>(),
    snapshot: () => big,
    follow(follower: (snapshot: PortsSnapshot) => void) {
      followers.add(follower)
      return () => void followers.delete(follower)
    },
  }
  const server = createServer((request, response) => void openStream(source, request, response)).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  await using quick = await EventStream.open(`http://127.0.0.1:${port}/`)
  const slow = connect(port, '127.0.0.1')
  slow.pause()
  slow.on('error', () => {})
  slow.write('GET / HTTP/1.1\r\nHost: local\r\n\r\n')
  await expect.poll(() => source.streams.size).toBe(2)
  for (let sent = 0; source.streams.size === 2; sent += 1) {
    expect(sent).toBeLessThan(200)
    for (const follower of followers) follower(big)
    await quick.next()
  }
  expect([source.streams.size, followers.size]).toEqual([1, 1])
  slow.destroy()
  await quick[Symbol.asyncDispose]()
  server.close()
})
