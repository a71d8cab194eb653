import { afterAll, beforeAll, expect, test } from 'vitest'
import { createHeldMessages } from '../../src/nodes/support/held-messages.ts'
import { Budget } from '../../src/tcp/budget.ts'
import type { AdminClient, FlowNode } from '../../src/testing/admin-client.ts'
import type { StartedEmbeddedNodeRedTcp } from '../../src/testing/embedded-node-red-tcp.ts'
import { freePort } from '../../src/testing/free-port.ts'
import type { TcpClient } from '../../src/testing/tcp-client.ts'
import { probed, withProbe } from './deploys/probed.ts'
import { flowOf, Tab } from './flow-builder.ts'

const MEMORY = 1024 * 1024
// Each less than would be taken for a frame that does not end, all of them more than the memory.
const LINE = `${'x'.repeat(100_000)}\n`
const SENDERS = 16
const CLOSE_MS = 2_000

let nodeRed: StartedEmbeddedNodeRedTcp
let admin: AdminClient

beforeAll(async () => {
  nodeRed = await withProbe()
    .withEnvironment({ TCP_MEMORY: String(MEMORY) })
    .start()
  admin = await nodeRed.admin
})
afterAll(async () => {
  await nodeRed[Symbol.asyncDispose]()
})

async function heldBytes(): Promise<number> {
  const text = await (await fetch(`${nodeRed.getStatusUrl()}/metrics`)).text()
  return Number(/^node_red_tcp_memory_held_bytes\{kind="unsent"\} (\d+)$/m.exec(text)![1])
}

test('messages that wait for a node’s next instance count: each that has to go is an error, all others are delivered', async () => {
  const gate = await freePort()
  const tab = new Tab('held')
  const next = tab.add('probe', { name: 'next', closeMs: CLOSE_MS })
  tab.tcpIn({ port: String(gate), datatype: 'utf8', newline: '\\n', trim: false }, next)
  tab.add('catch', { scope: null, uncaught: false }, tab.add('probe', { name: 'caught' }))
  await admin.deploy(flowOf(tab))
  const [first, ...senders] = await Promise.all(Array.from({ length: SENDERS + 1 }, () => nodeRed.tcp(gate)))
  next.name = 'changed'
  next.closeMs = 0
  const deployed = admin.deploy(flowOf(tab), 'nodes')
  let sent = 0
  const send = async (client: TcpClient, line: string) => {
    await client.send(line)
    sent += 1
  }
  // The deploy has begun once something waits.
  while ((await heldBytes()) === 0) await send(first!, 'first\n')
  let most = 0
  for (const sender of senders) {
    await send(sender, LINE)
    most = Math.max(most, await heldBytes())
  }
  await deployed
  expect(most).toBeGreaterThan(MEMORY / 2)
  expect(most).toBeLessThanOrEqual(MEMORY)
  const delivered = async () => (await probed(admin, 'next')).seen.length + (await probed(admin, 'changed')).seen.length
  const caught = async () => (await probed(admin, 'caught')).seen.map(({ error }) => error!)
  await expect.poll(async () => (await delivered()) + (await caught()).length).toBe(sent)
  expect((await caught()).length).toBeGreaterThan(MEMORY / 2 / LINE.length)
  for (const error of await caught()) {
    expect(error).toMatchObject({ code: 'MEMORY', message: expect.stringMatching(/^what waits in a deploy .* \(TCP_MEMORY\)/) as string })
  }
  expect(await heldBytes()).toBe(0)
  for (const sender of [first!, ...senders]) {
    expect(sender.isClosed).toBe(false)
    sender.reset()
  }
})

test('a queue that waits for the next instance of its node counts', async () => {
  const [gate, nobody] = [await freePort(), await freePort()]
  const tab = new Tab('queue')
  const output: FlowNode = tab.tcpOut({ beserver: 'client', host: '127.0.0.1', port: String(nobody), offline: 'queue' })
  tab.tcpIn({ port: String(gate), datatype: 'utf8', newline: '\\n', trim: true }, output)
  const slow = tab.add('probe', { name: 'slow', closeMs: CLOSE_MS })
  await admin.deploy(flowOf(tab))
  await using source = await nodeRed.tcp(gate)
  await source.send(LINE)
  await expect.poll(heldBytes).toBe(LINE.length)
  output.name = slow.name = 'changed'
  slow.closeMs = 0
  let least = Infinity
  let over = false
  const deployed = admin.deploy(flowOf(tab), 'nodes').finally(() => (over = true))
  while (!over) least = Math.min(least, await heldBytes())
  await deployed
  expect(least).toBe(LINE.length)
})

test('beyond the number that may wait there is one error for each node, and nobody’s are counted', () => {
  const held = createHeldMessages(new Budget(MEMORY))
  for (let count = 0; count < 10_003; count += 1) held.hold(count % 2 === 0 ? 'even' : 'odd', { payload: 'x' })
  held.hold('gone', { payload: 'x' })
  const delivered: string[] = []
  const errors: string[] = []
  const lost = held.release({
    deliver: (id) => delivered.push(id) > 0,
    fail: (id, { message }) => id !== 'gone' && errors.push(`${id}: ${message}`) > 0,
  })
  expect([delivered.length, lost]).toEqual([10_000, 1])
  expect(errors).toEqual([
    expect.stringMatching(/^even: .* 2 messages were too many/),
    expect.stringMatching(/^odd: .* 1 message was too many/),
  ])
})

test('what is in an object counts as well, be it in a circle or behind a getter that throws', () => {
  const budget = new Budget(MEMORY)
  const held = createHeldMessages(budget)
  const around: Record<string, unknown> = { bytes: Buffer.alloc(1000), rows: [['x'.repeat(500), 1], new Uint8Array(250)] }
  around.self = around
  held.hold('a', { payload: around })
  expect(budget.unsent).toBeGreaterThanOrEqual(1750)
  expect(budget.unsent).toBeLessThan(3000)
  held.hold('a', { payload: new Uint16Array(1000) })
  expect(budget.unsent).toBeGreaterThanOrEqual(3750)
  const before = budget.unsent
  held.hold('b', {
    payload: {
      get wrong() {
        throw new Error('not now')
      },
    },
  })
  expect(budget.unsent).toBeGreaterThan(before)
  const errors: string[] = []
  for (let count = 0; count < 2 * (MEMORY / 100_000); count += 1) held.hold('a', { payload: { text: 'x'.repeat(100_000) } })
  held.release({ deliver: () => true, fail: (_id, { code }) => errors.push(code) > 0 })
  expect(errors).toContain('MEMORY')
  expect(budget.unsent).toBe(0)
})
