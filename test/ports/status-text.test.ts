import { expect, test } from 'vitest'
import { EmbeddedNodeRedTcp } from '../../src/testing/embedded-node-red-tcp.ts'
import { freePort } from '../../src/testing/free-port.ts'
import { Tab } from '../nodes/flow-builder.ts'

async function statusOf(environment: Record<string, string>, properties: Record<string, unknown>, type: 'tcp in' | 'tcp out' = 'tcp in') {
  await using nodeRed = await new EmbeddedNodeRedTcp().withEnvironment(environment).start()
  const admin = await nodeRed.admin
  await using debug = await admin.debug()
  const tab = new Tab('status')
  tab.add('status', { scope: null }, tab.debug('status', 'status'))
  if (type === 'tcp in') tab.tcpIn(properties)
  else tab.tcpOut({ beserver: 'server', ...properties })
  await admin.deploy([...(await admin.flows()), ...tab.nodes], 'nodes')
  const { msg } = await debug.next(({ name, msg }) => name === 'status' && msg.includes('listening'))
  const { text, listening } = JSON.parse(msg) as { text: string; listening: Record<string, unknown> }
  return { text, ...listening }
}

const port = await freePort()

const text = '0 connections'

test.each(['tcp in', 'tcp out'] as const)('%s shows Node-RED’s text, and beside it where it listens', async (type) => {
  expect(await statusOf({}, { port }, type)).toEqual({ text, address: '0.0.0.0', port, reach: 'direct' })
})

test.each(['127.0.0.1', '::1'])('a bound address is told as it is: %s', async (bind) => {
  expect(await statusOf({}, { port, bind })).toEqual({ text, address: bind, port, reach: 'direct' })
})

test.each([
  ['unknown', {}, { reach: 'unknown' }],
  [`0.0.0.0:${port}`, {}, { reach: 'published', ways: [`0.0.0.0:${port}`], publications: [{ address: '0.0.0.0', hostPort: port }] }],
  [`[::]:${port - 1}-${port + 1}`, {}, { reach: 'published', ways: [`[::]:${port}`], publications: [{ address: '::', hostPort: port }] }],
  ['0.0.0.0:9500-9519', {}, { reach: 'notPublished' }],
  [`0.0.0.0:${port}`, { bind: '127.0.0.1' }, { address: '127.0.0.1', reach: 'insideOnly' }],
])('PUBLISHED_PORTS=%s %j tells where the port is reached', async (PUBLISHED_PORTS, properties, where) => {
  expect(await statusOf({ PUBLISHED_PORTS }, { port, ...properties })).toEqual({ text, address: '0.0.0.0', port, ...where })
})

test('a node that cannot listen says so by the system’s name of it, beside the text', async () => {
  await using nodeRed = await new EmbeddedNodeRedTcp().start()
  const admin = await nodeRed.admin
  await using debug = await admin.debug()
  const tab = new Tab('status')
  tab.add('status', { scope: null }, tab.debug('status', 'status'))
  tab.tcpIn({ port, bind: '192.0.2.1' })
  await admin.deploy([...(await admin.flows()), ...tab.nodes], 'nodes')
  const { msg } = await debug.next(({ name, msg }) => name === 'status' && msg.includes('failed'))
  const { text, failed } = JSON.parse(msg) as { text: string; failed: object }
  expect(failed).toEqual({ reason: text, port, errno: 'EADDRNOTAVAIL' })
})
