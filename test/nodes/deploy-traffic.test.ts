import { afterAll, beforeAll, expect, test } from 'vitest'
import type { AdminClient, DeploymentType, FlowNode } from '../../src/testing/admin-client.ts'
import type { StartedEmbeddedNodeRedTcp } from '../../src/testing/embedded-node-red-tcp.ts'
import { freePort } from '../../src/testing/free-port.ts'
import type { TcpClient } from '../../src/testing/tcp-client.ts'
import { waitUntil } from '../../src/testing/wait.ts'
import { probed, withProbe } from './deploys/probed.ts'
import { SteadyEcho } from './deploys/steady-echo.ts'
import { flowOf, Tab } from './flow-builder.ts'

// A node has so long to close, then Node-RED goes on without it.
const CLOSE_MS = 3_000
// Far below what a node takes to close, and enough for a busy machine.
const PROMPT_MS = 1_800
const SETTLED_LINES = 25
const DEPLOYS = 20
// More than may be held, were its sender read on.
const BURST = 30_000
const BURST_CLOSE_MS = 1_500

let nodeRed: StartedEmbeddedNodeRedTcp
let admin: AdminClient
let port: number
let client: TcpClient

beforeAll(async () => {
  nodeRed = await withProbe({ closeTimeoutMs: CLOSE_MS }).start()
  admin = await nodeRed.admin
  port = await freePort()
})
afterAll(async () => {
  await nodeRed[Symbol.asyncDispose]()
})

/** A tab that no deploy touches: an echo of lines, and messages of another source; wired to a node that is switched off, too. */
function untouched(): Tab {
  const tab = new Tab('untouched')
  const off = tab.add('probe', { name: 'off', d: true })
  tab.tcpIn(
    { port: String(port), datatype: 'utf8', newline: '\\n' },
    tab.add('function', { func: 'msg.payload += "\\n"; return msg', outputs: 1 }, tab.tcpOut({})),
    off,
  )
  tab.add('probe', { name: 'source', everyMs: 10 }, tab.add('probe', { name: 'sink' }))
  return tab
}

/** Another tab, with nodes of these properties. */
function other(...probes: Record<string, unknown>[]): { tab: Tab; nodes: FlowNode[] } {
  const tab = new Tab('other')
  return { tab, nodes: probes.map((properties) => tab.add('probe', properties)) }
}

/** Runs what is given while the untouched tab is at work; makes sure that it lost nothing and was never slow. */
async function unmoved(run: (echo: SteadyEcho) => Promise<void>): Promise<void> {
  client = await nodeRed.tcp(port)
  const echo = new SteadyEcho(client)
  const before = (await probed(admin, 'sink')).seen.length
  await settled(echo)
  await run(echo)
  await settled(echo)
  expect(await echo.stop()).toBeLessThan(PROMPT_MS)
  expect(client.isClosed).toBe(false)
  client.reset()
  const numbers = (await probed(admin, 'sink')).seen.slice(before).map(({ payload }) => Number(payload))
  expect(numbers).toEqual(numbers.map((_, index) => numbers[0]! + index))
}

/** Some more lines have come back, so the tab is at work. */
async function settled(echo: SteadyEcho): Promise<void> {
  const enough = echo.echoed + SETTLED_LINES
  await waitUntil(() => echo.echoed >= enough, { within: 10_000, what: 'further echoes' })
}

test('nodes that close slowly, never, or not at all leave other tabs alone', async () => {
  const { tab, nodes } = other({ closeMs: CLOSE_MS - 500 }, { closeMs: -1 }, { throwIn: 'close' })
  await admin.deploy(flowOf(untouched(), tab))
  await unmoved(async () => {
    for (const type of ['nodes', 'flows'] as const) {
      for (const node of nodes) node.name = `changed for ${type}`
      const started = performance.now()
      await admin.deploy(flowOf(untouched(), tab), type)
      expect(performance.now() - started).toBeGreaterThan(CLOSE_MS - 100)
    }
  })
})

test.each<DeploymentType>(['nodes', 'flows'])('%s: a node type that nobody knows on another tab stops no tab that runs', async (type) => {
  const { tab } = other({})
  await admin.deploy(flowOf(untouched(), tab))
  await unmoved(async (echo) => {
    tab.add('nobody-knows', {})
    const unknown = async () => (await (await fetch(`${nodeRed.getStatusUrl()}/readyz`)).text()).includes('nobody-knows')
    await admin.request('/flows', {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'node-red-deployment-type': type },
      body: JSON.stringify(flowOf(untouched(), tab)),
    })
    await waitUntil(unknown, { within: 5_000, what: 'news of the unknown type' })
    await settled(echo)
    await using newcomer = await nodeRed.tcp(port)
    await newcomer.send('new\n')
    await newcomer.expect('new\n')
    tab.nodes.pop()
    await admin.deploy(flowOf(untouched(), tab), type)
  })
})

test('more than may wait comes while the next node is being replaced: its sender is not read, and nothing is lost', async () => {
  const gate = await freePort()
  const tab = new Tab('burst')
  const next = tab.add('probe', { name: 'next', closeMs: BURST_CLOSE_MS })
  tab.tcpIn({ port: String(gate), datatype: 'utf8', newline: '\\n' }, next)
  await admin.deploy(flowOf(tab))
  await using sender = await nodeRed.tcp(gate)
  await sender.send('first\n')
  await expect.poll(async () => (await probed(admin, 'next')).seen.length).toBe(1)
  next.closeMs = 0
  const lines = Array.from({ length: BURST }, (_, index) => String(index))
  const deployed = admin.deploy(flowOf(tab), 'nodes')
  await sender.send(lines.map((line) => `${line}\n`).join(''))
  await deployed
  await expect.poll(async () => (await probed(admin, 'next')).seen.length).toBe(BURST + 1)
  expect((await probed(admin, 'next')).seen.slice(1).map(({ payload }) => payload)).toEqual(lines)
})

test('a node that throws in its constructor keeps nothing from going on', async () => {
  await admin.deploy(flowOf(untouched(), other({}).tab))
  await unmoved(async () => {
    await admin.deploy(flowOf(untouched(), other({ throwIn: 'constructor' }).tab), 'nodes')
  })
})

test('twenty deploys of all kinds in a row: no line is lost, doubled or late', async () => {
  await admin.deploy(flowOf(untouched(), other({}).tab))
  client = await nodeRed.tcp(port)
  const echo = new SteadyEcho(client)
  const kinds: DeploymentType[] = ['nodes', 'full', 'flows', 'reload']
  for (let deploy = 0; deploy < DEPLOYS; deploy += 1) {
    const { tab } = other({ name: `deploy ${deploy}`, closeMs: (deploy % 3) * 50 })
    const kind = kinds[deploy % kinds.length]
    // Somebody else deploys at the same moment.
    const another = deploy % 5 === 0 ? admin.deploy(flowOf(untouched(), other({ name: 'another', closeMs: 100 }).tab), kind) : undefined
    await Promise.all([admin.deploy(flowOf(untouched(), tab), kind), another])
  }
  await settled(echo)
  expect(await echo.stop()).toBeLessThan(PROMPT_MS)
  client.reset()
})
