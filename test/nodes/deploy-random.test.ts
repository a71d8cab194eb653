import { afterAll, beforeAll, expect, test } from 'vitest'
import type { AdminClient, DeploymentType, FlowNode } from '../../src/testing/admin-client.ts'
import type { StartedEmbeddedNodeRedTcp } from '../../src/testing/embedded-node-red-tcp.ts'
import { freePort } from '../../src/testing/free-port.ts'
import { waitUntil } from '../../src/testing/wait.ts'
import { withProbe } from './deploys/probed.ts'
import { SteadyEcho } from './deploys/steady-echo.ts'
import { flowOf, Tab } from './flow-builder.ts'

// More by DEPLOY_SEEDS, such as `1 2 3`; a failure names its own.
const SEEDS = (process.env.DEPLOY_SEEDS ?? String(Date.now() % 100_000)).split(/[ ,]+/).map(Number)
const DEPLOYS = 15
const TABS = 3
const SLOWEST_CLOSE_MS = 300
const KINDS: DeploymentType[] = ['nodes', 'flows', 'full', 'reload']

let nodeRed: StartedEmbeddedNodeRedTcp
let admin: AdminClient

beforeAll(async () => {
  nodeRed = await withProbe().start()
  admin = await nodeRed.admin
})
afterAll(async () => {
  await nodeRed[Symbol.asyncDispose]()
})

/** Numbers below `limit` that are the same for the same seed (mulberry32). */
function createRandom(seed: number): (limit: number) => number {
  let state = seed
  return (limit) => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * limit)
  }
}

/** A tab that echoes lines, by way of a node that takes its time to close. */
function echoTab(index: number, port: number): Tab {
  const tab = new Tab(`echo${index}`)
  const line = tab.add('function', { func: 'msg.payload += "\\n"; return msg', outputs: 1 }, tab.tcpOut({}))
  const middle = tab.add('probe', { name: `middle ${index}`, forward: true, closeMs: 0 }, line)
  tab.tcpIn({ port: String(port), datatype: 'utf8', newline: '\\n' }, middle)
  return tab
}

/** Changes one node in some way that leaves the echo as it is. */
function change(node: FlowNode, random: (limit: number) => number): void {
  node.name = node.type === 'probe' ? node.name : `name ${random(1_000)}`
  if (node.type === 'probe') Object.assign(node, { closeMs: random(SLOWEST_CLOSE_MS), throwIn: random(5) === 0 ? 'close' : undefined })
  if (node.type === 'tcp in')
    Object.assign(node, { maxPending: random(3), framing: random(2) ? 'delimiter' : '', idleTimeout: 60 + random(60) })
  if (node.type === 'tcp out') Object.assign(node, { slowPeer: random(2) ? 'error' : '' })
}

test.each(SEEDS)('seed %i: whatever is deployed in whatever order, every line comes back once, and nothing stays', async (seed) => {
  const random = createRandom(seed)
  const ports = await Promise.all(Array.from({ length: TABS }, () => freePort()))
  const tabs = ports.map((port, index) => echoTab(index, port))
  const stray = new Tab('stray')
  await admin.deploy(flowOf(...tabs, stray))
  let running = JSON.stringify(flowOf(...tabs, stray))
  const clients = await Promise.all(ports.map((port) => nodeRed.tcp(port)))
  const echoes = clients.map((client) => new SteadyEcho(client))
  const history: string[] = []
  for (let deploy = 0; deploy < DEPLOYS; deploy += 1) {
    const kind = KINDS[random(KINDS.length)]!
    const what = random(8)
    if (what === 0) stray.add('probe', { throwIn: 'constructor' })
    for (let changes = random(4); what > 1 && changes > 0; changes -= 1) {
      const nodes = tabs[random(TABS)]!.nodes.filter(({ type }) => type !== 'tab')
      change(nodes[random(nodes.length)]!, random)
    }
    history.push(`${kind} ${what}`)
    if (what === 1 && kind !== 'reload' && kind !== 'full') {
      // Beside what runs: a node that is changed along with it stands still until the type is there, and what comes to it is lost.
      const missing = { id: 'missing', type: 'nobody-knows', z: 'stray', x: 0, y: 0, wires: [] }
      await admin.request('/flows', {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'node-red-deployment-type': kind },
        body: JSON.stringify([...(JSON.parse(running) as FlowNode[]), missing]),
      })
    }
    await admin.deploy(flowOf(...tabs, stray), kind)
    // Node-RED reads what it has when it is to reload.
    if (kind !== 'reload') running = JSON.stringify(flowOf(...tabs, stray))
  }
  const about = `seed ${seed}: ${history.join(', ')}`
  for (const echo of echoes) {
    const enough = echo.echoed + 10
    await waitUntil(() => echo.echoed >= enough, { within: 10_000, what: `further echoes after ${about}` })
    await echo.stop().catch((error: Error) => expect.fail(`${about}: ${error.message}`))
  }
  expect(clients.filter(({ isClosed }) => isClosed)).toEqual([])
  await admin.deploy([])
  for (const client of clients) await client.expectClose()
  const stay = async (page: string) => {
    const rows = (await (await fetch(`${nodeRed.getStatusUrl()}${page}`)).json()) as { port?: number; localPort?: number }[]
    return rows.filter(({ port, localPort }) => ports.includes(port ?? 0) || ports.includes(localPort ?? 0))
  }
  await expect.poll(() => stay('/sessions')).toEqual([])
  await expect.poll(() => stay('/listeners')).toEqual([])
  for (const client of clients) client.socket.destroy()
})
