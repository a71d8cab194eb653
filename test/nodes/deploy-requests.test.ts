import { afterAll, beforeAll, expect, test } from 'vitest'
import type { AdminClient, DeploymentType, FlowNode } from '../../src/testing/admin-client.ts'
import type { StartedEmbeddedNodeRedTcp } from '../../src/testing/embedded-node-red-tcp.ts'
import { freePort } from '../../src/testing/free-port.ts'
import { TcpPeer } from '../../src/testing/tcp-peer.ts'
import { probed, withProbe } from './deploys/probed.ts'
import { flowOf, Tab } from './flow-builder.ts'

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

/** Lines to a port become requests; replies and errors are noted under two names. */
async function asking() {
  const gate = await freePort()
  names += 1
  const [replied, caught] = [`replied ${names}`, `caught ${names}`]
  const build = (properties: Record<string, unknown>): FlowNode[] => {
    const tab = new Tab('asking')
    const request = tab.tcpRequest(
      { server: '127.0.0.1', out: 'count', splitc: '3', ret: 'string', ...properties },
      tab.add('probe', { name: replied }),
    )
    tab.tcpIn({ port: String(gate), datatype: 'utf8', newline: '\\n', trim: false }, request)
    tab.add('catch', { scope: null, uncaught: false }, tab.add('probe', { name: caught }))
    return flowOf(tab)
  }
  const payloads = async () => (await probed(admin, replied)).seen.map(({ payload }) => payload)
  const errors = async () => (await probed(admin, caught)).seen.map(({ error }) => error!.message)
  return { gate, build, payloads, errors }
}

test.each<DeploymentType>(['full', 'nodes', 'reload'])(
  '%s: a request that is sent gets its answer, and those that wait are asked, one after the other',
  async (type) => {
    await using device = await TcpPeer.listen()
    const { gate, build, payloads, errors } = await asking()
    await admin.deploy(build({ port: String(device.port) }))
    await using source = await nodeRed.tcp(gate)
    await source.send('one\n')
    const first = await device.accept()
    await first.expect('one')
    await source.send('two\nsix\n')
    await admin.deploy(build({ port: String(device.port), name: `changed for ${type}` }), type)
    await first.expectSilence()
    await first.send('ONE')
    for (const word of ['two', 'six']) {
      const next = await device.accept()
      await next.expect(word)
      await next.send(word.toUpperCase())
    }
    await expect.poll(payloads).toEqual(['ONE', 'TWO', 'SIX'])
    expect(await errors()).toEqual([])
  },
)

test('an answer that comes while flows are stopped is passed on once they run', async () => {
  await using device = await TcpPeer.listen()
  const { gate, build, payloads } = await asking()
  const flow = (name: string) => {
    const slow = new Tab('slow')
    slow.add('probe', { name, closeMs: 1_500 })
    return [...build({ port: String(device.port), name }), ...flowOf(slow)]
  }
  await admin.deploy(flow('before'))
  await using source = await nodeRed.tcp(gate)
  await source.send('one\n')
  const first = await device.accept()
  await first.expect('one')
  const deployed = admin.deploy(flow('after'), 'full')
  // Nobody has the source's session while its node is away.
  const sessions = async () =>
    (await (await fetch(`${nodeRed.getStatusUrl()}/sessions`)).json()) as { remotePort: number; usedBy?: object }[]
  await expect.poll(async () => (await sessions()).find(({ remotePort }) => remotePort === source.localPort)).not.toHaveProperty('usedBy')
  await first.send('ONE')
  await deployed
  await expect.poll(payloads).toEqual(['ONE'])
})

test('what was not sent goes where the node asks now, and as it asks now', async () => {
  await using device = await TcpPeer.listen()
  await using other = await TcpPeer.listen()
  const { gate, build, payloads, errors } = await asking()
  await admin.deploy(build({ port: String(device.port) }))
  await using source = await nodeRed.tcp(gate)
  await source.send('one\n')
  const first = await device.accept()
  await first.expect('one')
  await source.send('two\n')
  await admin.deploy(build({ port: String(other.port), splitc: '5' }))
  const second = await other.accept()
  await second.expect('two')
  await second.send('FIVES')
  await expect.poll(payloads).toEqual(['FIVES'])
  await first.send('ONE')
  await expect.poll(payloads).toEqual(['FIVES', 'ONE'])
  expect(await errors()).toEqual([])
})

test('a connection that is kept open outlives a deploy, and is made anew where its framing changes', async () => {
  await using device = await TcpPeer.listen()
  const { gate, build, payloads } = await asking()
  const keepOpen = { port: String(device.port), out: 'sit', splitc: '0', newline: '\\n' }
  await admin.deploy(build(keepOpen))
  await using source = await nodeRed.tcp(gate)
  await source.send('one\n')
  const first = await device.accept()
  await first.expect('one')
  await admin.deploy(build({ ...keepOpen, name: 'changed' }))
  await first.send('ONE\n')
  await expect.poll(payloads).toEqual(['ONE'])
  await source.send('two\n')
  await first.expect('two')
  await admin.deploy(build({ ...keepOpen, newline: ';' }))
  await first.expectClose()
  await source.send('six\n')
  const second = await device.accept()
  await second.expect('six')
  await second.send('SIX;')
  await expect.poll(payloads).toEqual(['ONE', 'SIX'])
})

test('requests of a node that is deleted fail', async () => {
  await using device = await TcpPeer.listen()
  const { gate, build, errors } = await asking()
  await admin.deploy(build({ port: String(device.port) }))
  await using source = await nodeRed.tcp(gate)
  await source.send('one\n')
  const first = await device.accept()
  await first.expect('one')
  await source.send('two\n')
  await admin.deploy(
    build({ port: String(device.port) }).filter(({ type }) => type !== 'tcp request'),
    'full',
  )
  await first.expectClose()
  await expect.poll(errors).toHaveLength(2)
  expect(await errors()).toEqual(expect.arrayContaining([expect.stringContaining('the node was stopped') as string]))
})
