import { expect, test } from 'vitest'
import { EmbeddedNodeRedTcp } from '../support/embedded-node-red-tcp.ts'
import { freePort } from '../support/free-port.ts'
import { Tab } from '../nodes/flow-builder.ts'

async function statusOf(environment: Record<string, string>, properties: Record<string, unknown>, type: 'tcp in' | 'tcp out' = 'tcp in') {
  await using nodeRed = await new EmbeddedNodeRedTcp().withEnvironment(environment).start()
  const admin = await nodeRed.admin
  await using debug = await admin.debug()
  const tab = new Tab('status')
  tab.add('status', { scope: null }, tab.debug('status', 'status.text'))
  if (type === 'tcp in') tab.tcpIn(properties)
  else tab.tcpOut({ beserver: 'server', ...properties })
  await admin.deploy([...(await admin.flows()), ...tab.nodes], 'nodes')
  const { msg } = await debug.next(({ name, msg }) => name === 'status' && msg.startsWith('listening'))
  return msg
}

const port = await freePort()

test.each(['tcp in', 'tcp out'] as const)('%s without a container shows the address itself', async (type) => {
  expect(await statusOf({}, { port }, type)).toBe(`listening 0.0.0.0:${port} · 0 connections`)
})

test.each([
  ['127.0.0.1', `listening 127.0.0.1:${port} · 0 connections`],
  ['::1', `listening [::1]:${port} · 0 connections`],
])('a bound address is shown as it is: %s', async (bind, text) => {
  expect(await statusOf({}, { port, bind })).toBe(text)
})

test.each([
  ['unknown', {}, `listening :${port} · 0 connections`],
  [`0.0.0.0:${port}`, {}, `listening :${port} → 0.0.0.0:${port} · 0 connections`],
  [`[::]:${port - 1}-${port + 1}`, {}, `listening :${port} → [::]:${port} · 0 connections`],
  ['0.0.0.0:9500-9519', {}, `listening :${port} · not published · 0 connections`],
  [`0.0.0.0:${port}`, { bind: '127.0.0.1' }, `listening 127.0.0.1:${port} · inside the container only · 0 connections`],
])('PUBLISHED_PORTS=%s %j shows where the port is reached', async (PUBLISHED_PORTS, properties, text) => {
  expect(await statusOf({ PUBLISHED_PORTS }, { port, ...properties })).toBe(text)
})
