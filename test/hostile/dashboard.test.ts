import { afterAll, beforeAll, expect, test } from 'vitest'
import { EmbeddedNodeRedTcp, type StartedEmbeddedNodeRedTcp } from '../../src/testing/embedded-node-red-tcp.ts'

const SOCKET = '/dashboard/socket.io/?EIO=4&transport=polling'
const MANY = 200_000

let nodeRed: StartedEmbeddedNodeRedTcp
beforeAll(async () => void (nodeRed = await new EmbeddedNodeRedTcp().start()))
afterAll(async () => await nodeRed[Symbol.asyncDispose]())

async function connect(): Promise<string> {
  const admin = await nodeRed.admin
  const { sid } = JSON.parse((await (await admin.request(SOCKET)).text()).slice(1)) as { sid: string }
  const session = `${SOCKET}&sid=${sid}`
  await admin.request(session, { method: 'POST', body: '40' })
  return session
}

test.each([
  ['an error', '42["error","x"]'],
  ['more arguments than fit onto the stack', `42["x"${',[]'.repeat(MANY)}]`],
  ['more arguments than fit onto the stack, for an answer', `427["widget-load"${',1'.repeat(MANY)}]`],
])('an event of the dashboard that is %s ends nothing', async (_what, event) => {
  const admin = await nodeRed.admin
  const session = await connect()
  await admin.request(session, { method: 'POST', body: event }).catch(() => {})
  // It comes back to who is still connected after the event was worked off.
  await connect()
  await using client = await nodeRed.tcp(9503)
  await client.send('x')
  await client.expect('x')
  expect(nodeRed.log).not.toMatch(/uncaught|Missing error handler/i)
})
