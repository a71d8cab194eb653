import { createHash } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { logsOf } from '../support/containers.ts'
import type { StartedNodeRedTcpContainer } from '../../src/testing/node-red-tcp-container.ts'
import { describeContainer, newContainer } from '../support/runtimes.ts'
import { TcpClient } from '../../src/testing/tcp-client.ts'
import { waitUntil } from '../../src/testing/wait.ts'
import { nextOf } from './defects/defect.ts'
import { flowOf, Tab } from './flow-builder.ts'
import { connectSecurely, echoes, greet, listeners, type Listener } from './hostile/listeners.ts'

const PEERS = 50
const GARBAGE_BYTES = 4_000
const DENIED = 20
const BUSY_MS = 600
// Refusals and losses are reported at once, then every ten seconds; some of a test before may come late.
const LINES_PER_LISTENER = 3

/** What one peer of many does. */
type Hostility = { name: string; act: (client: TcpClient, listener: Listener, seed: number) => Promise<void> | void }

const hostilities: Hostility[] = [
  { name: 'send garbage', act: (client, _listener, seed) => spoil(client, garbage(seed)) },
  { name: 'go at once', act: (client) => void client.socket.destroy() },
  { name: 'reset at once', act: (client) => client.reset() },
  { name: 'end without a word', act: (client) => leave(client) },
  { name: 'reset in the middle', act: async (client, { part }) => void (await client.send(part).then(() => client.reset())) },
  { name: 'end in the middle', act: async (client, { part }) => await client.send(part).then(() => leave(client)) },
  { name: 'begin well and send garbage', act: (client, { part }, seed) => spoil(client, Buffer.concat([part, garbage(seed)])) },
]

describeContainer('hostile peers', () => {
  let nodeRed: StartedNodeRedTcpContainer
  let host: string
  let started: number

  beforeAll(async () => {
    nodeRed = await newContainer().withEnvironment({ TCP_MEMORY: '16m' }).start()
    // Straight to the container: a relay in between would make orderly ends of resets.
    host = nodeRed.getIpAddress(nodeRed.getNetworkNames()[0]!)
    await (await nodeRed.admin).deploy(echoes())
    await waitUntil(async () => (await status('/readyz')).ok, { within: 10_000, what: 'every listener' })
    started = await metric('process_start_time_seconds')
  })
  afterAll(async () => {
    await nodeRed[Symbol.asyncDispose]()
  })

  const status = (path: string) => fetch(`${nodeRed.getStatusUrl()}${path}`)
  const logLines = async () => (await logsOf(nodeRed.getId())).trimEnd().split('\n')

  async function refused(name: string): Promise<number> {
    const all = (await (await status('/listeners')).json()) as { declaredBy: { name: string }[]; refused: number }[]
    return all.find(({ declaredBy }) => declaredBy.some((node) => node.name === name))!.refused
  }

  async function metric(name: string): Promise<number> {
    const line = (await (await status('/metrics')).text()).split('\n').find((text) => text.startsWith(`${name} `))
    return Number(line!.slice(name.length + 1))
  }

  /** Open connections of the listeners. */
  async function sessions(): Promise<number> {
    const all = (await (await status('/sessions')).json()) as { localPort: number }[]
    return all.filter(({ localPort }) => listeners.some(({ port }) => port === localPort)).length
  }

  async function expectUnharmed(): Promise<void> {
    await Promise.all(listeners.map((listener) => greet(listener, host)))
    await expect.poll(sessions, { timeout: 5_000 }).toBe(0)
    expect((await status('/healthz')).status).toBe(200)
    expect(await metric('process_start_time_seconds')).toBe(started)
  }

  test.each(hostilities)(`${PEERS * listeners.length} peers that $name harm nobody`, async ({ act }) => {
    const before = (await logLines()).length
    const refusedBefore = await refused('secure')
    const meet = async (listener: Listener, seed: number) => await act(await TcpClient.connect(listener.port, host), listener, seed)
    await Promise.all(listeners.flatMap((listener) => Array.from({ length: PEERS }, (_, seed) => meet(listener, seed))))
    await expectUnharmed()
    const added = (await logLines()).slice(before)
    expect(added.length).toBeLessThan(LINES_PER_LISTENER * listeners.length)
    expect(added.filter((line) => line.length > 300 || !/^\d+ \w+ [\d:]+ - \[warn\] \[tcp in:\w+\] [ -~]+$/.test(line))).toEqual([])
    expect((await refused('secure')) - refusedBefore).toBe(PEERS)
  })

  test('a frame that a reset cuts off is no message', async () => {
    const framed = listeners.filter(({ name }) => ['lines', 'length', 'marker'].includes(name))
    const messages = async () =>
      await Promise.all(framed.map(async ({ port }) => await metric(`node_red_tcp_messages_in_total{port="${port}",direction="in"}`)))
    await expectUnharmed()
    const before = await messages()
    for (const { port, part } of framed) {
      const client = await TcpClient.connect(port, host)
      await client.send(part)
      client.reset()
    }
    await expectUnharmed()
    expect(await messages()).toEqual(before.map((count) => count + 1))
  })

  test('a peer that has ended and goes on reading gets its answer', async () => {
    const meet = async ({ port, node, greeting, answer }: Listener) => {
      await using client = node.tls ? await connectSecurely(port, host) : await TcpClient.connect(port, host)
      await client.send(greeting)
      client.end()
      await client.expect(answer)
      await client.expectClose()
    }
    await Promise.all(listeners.map(meet))
    await expectUnharmed()
  })

  test('peers that send byte after byte get their answers', async () => {
    const meet = async ({ port, greeting, answer }: Listener) => {
      await using client = await TcpClient.connect(port, host)
      for (const byte of greeting) await client.send(Buffer.of(byte))
      await client.expect(answer)
    }
    await Promise.all(listeners.filter(({ node }) => !node.tls).flatMap((listener) => Array.from({ length: 10 }, () => meet(listener))))
    await expectUnharmed()
  })

  test('peers that stop in the middle keep nobody out; those that have not even begun are sent away', { timeout: 30_000 }, async () => {
    const stuck = await Promise.all(
      listeners.map(async ({ port, part }) => {
        const client = await TcpClient.connect(port, host)
        await client.send(part)
        return client
      }),
    )
    await Promise.all(listeners.map((listener) => greet(listener, host)))
    await Promise.all(stuck.slice(-2).map((client) => client.expectClose({ within: 12_000 })))
    expect(stuck.map(({ isClosed }) => isClosed)).toEqual([false, false, false, false, true, true])
    for (const client of stuck) client.reset()
    await expectUnharmed()
  })

  test('what a denied peer has left behind is not taken, even when nobody can be asked for its address any more', async () => {
    const tab = new Tab('denied')
    tab.tcpIn({ name: 'denied', port: '9504', deny: '0.0.0.0/0' }, tab.debug('seen', 'payload'))
    tab.text('be busy', '', tab.add('function', { func: `const end = Date.now() + ${BUSY_MS}; while (Date.now() < end);`, outputs: 0 }))
    await (await nodeRed.admin).deploy(flowOf(tab))
    await waitUntil(async () => (await status('/readyz')).ok, { within: 10_000, what: 'the listener' })
    await using debug = await (await nodeRed.admin).debug()
    // So that they have come and gone before they are accepted.
    await (await nodeRed.admin).inject('be busy')
    for (let count = 0; count < DENIED; count += 1) {
      const client = await TcpClient.connect(9504, host)
      await client.send('left behind')
      client.reset()
    }
    expect(await nextOf(debug, 'seen', 1_000)).toBe('nothing')
    await expect.poll(() => refused('denied')).toBe(DENIED)
  })

  test(
    'strangers whose lines never end, and such as do not read, hold no more than TCP_MEMORY, and are named',
    { timeout: 30_000 },
    async () => {
      const tab = new Tab('memory')
      tab.tcpIn({ name: 'lines', port: '9504', datatype: 'utf8', newline: '\\n' }, tab.debug('line', 'payload'))
      // Each may hold more than all together.
      tab.tcpIn({ name: 'echo', port: '9505' }, tab.tcpOut({ writeBuffer: String(64 * 1024 * 1024) }))
      tab.watch()
      await (await nodeRed.admin).deploy(flowOf(tab))
      await waitUntil(async () => (await status('/readyz')).ok, { within: 10_000, what: 'both listeners' })
      await using debug = await (await nodeRed.admin).debug()
      const strangers: TcpClient[] = []
      const come = async (port: number, bytes: number) => {
        const client = await TcpClient.connect(port, host)
        strangers.push(client)
        client.socket.pause()
        // Whoever is sent away in the middle does not get all of it out.
        await client.send(Buffer.alloc(bytes, 'x')).catch(() => {})
      }
      await Promise.all(Array.from({ length: 12 }, () => come(9504, 3_000_000)))
      expect(await nextOf(debug, 'caught', 10_000)).toMatch(/\(tcp in "lines"\) was disconnected: .* no whole message yet .*\(TCP_MEMORY\)/)
      // More than the kernels on both sides take.
      await Promise.all(Array.from({ length: 8 }, () => come(9505, 12_000_000)))
      await expect.poll(() => nextOf(debug, 'caught', 10_000), { timeout: 15_000 }).toMatch(/that wait for it were held.*\(TCP_MEMORY\)/)
      expect(await metric('node_red_tcp_memory_closed_total')).toBeGreaterThan(1)
      const held = (await (await status('/metrics')).text()).matchAll(/^node_red_tcp_memory_held_bytes\{.*\} (\d+)$/gm)
      expect([...held].reduce((sum, [, bytes]) => sum + Number(bytes), 0)).toBeLessThanOrEqual(16 * 1024 * 1024)
      await using good = await TcpClient.connect(9505, host)
      await good.send('good')
      await good.expect('good')
      for (const stranger of strangers) stranger.reset()
      expect(await metric('process_start_time_seconds')).toBe(started)
    },
  )
})

async function leave(client: TcpClient): Promise<void> {
  client.end()
  await client.expectClose()
}

/** Sends as much as the other end takes, then resets or ends. */
async function spoil(client: TcpClient, bytes: Buffer): Promise<void> {
  await client.send(bytes).catch(() => {})
  if (bytes.at(-1)! % 2 === 0) client.reset()
  else await leave(client)
}

/** The same bytes in every run. */
function garbage(seed: number): Buffer {
  return createHash('shake256', { outputLength: GARBAGE_BYTES }).update(String(seed)).digest()
}
