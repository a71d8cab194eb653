import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { AdminClient } from '../../src/testing/admin-client.ts'
import { EmbeddedNodeRedTcp, type StartedEmbeddedNodeRedTcp } from '../../src/testing/embedded-node-red-tcp.ts'
import { freePort } from '../../src/testing/free-port.ts'
import { nextOf } from './defects/defect.ts'
import { flowOf, Tab } from './flow-builder.ts'

const COUNT = 30

let nodeRed: StartedEmbeddedNodeRedTcp
let admin: AdminClient

beforeAll(async () => {
  nodeRed = await new EmbeddedNodeRedTcp().start()
  admin = await nodeRed.admin
})
afterAll(async () => {
  await nodeRed[Symbol.asyncDispose]()
})

/** A peer that keeps what each connection has brought, from its begin to its end. */
async function startPeer(port: number, { halfOpen = false } = {}) {
  const texts: string[] = []
  const server = createServer({ allowHalfOpen: halfOpen }, (socket) => {
    let text = ''
    socket.on('data', (data) => (text += String(data)))
    socket.on('end', () => texts.push(text))
    socket.on('error', () => {})
  })
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  return { texts, port: (server.address() as AddressInfo).port, close: () => server.close() }
}

/** A tcp out that ends its connection behind each message, with a button for one and one for many. */
async function deployClient(port: number, properties: Record<string, unknown> = {}) {
  const tab = new Tab('client')
  const out = tab.tcpOut({ beserver: 'client', host: '127.0.0.1', port: String(port), end: true, ...properties })
  const texts = Array.from({ length: COUNT }, (_, index) => ({ payload: `<${index}>` }))
  const many = { func: `return [${JSON.stringify(texts)}]`, outputs: 1, timeout: 0, noerr: 0, initialize: '', finalize: '', libs: [] }
  tab.inject('many', [], tab.add('function', many, out))
  tab.text('one', 'one', out)
  tab.watch(out)
  await admin.deploy(flowOf(tab))
  return await admin.debug()
}

async function connected(port: number): Promise<boolean> {
  const clients = (await (await fetch(`${nodeRed.getStatusUrl()}/clients`)).json()) as { port: number; state: string }[]
  return clients.some((client) => client.port === port && client.state === 'connected')
}

const all = Array.from({ length: COUNT }, (_, index) => `<${index}>`)

test('a connection for each message: all arrive, in order, however fast they come', async () => {
  const peer = await startPeer(0)
  await using debug = await deployClient(peer.port)
  await expect.poll(() => connected(peer.port)).toBe(true)
  await admin.inject('many')
  await expect.poll(() => peer.texts.filter((text) => text !== '')).toEqual(all)
  for (const text of all) expect(await nextOf(debug, 'completed')).toBe(text)
  expect(await nextOf(debug, 'caught', 50)).toBe('nothing')
  // Our own end is no failure: the next connection is there at once.
  await expect.poll(() => connected(peer.port), { timeout: 1_000 }).toBe(true)
  peer.close()
})

test('a peer that keeps its side is not waited for, and the next message arrives', async () => {
  const peer = await startPeer(0, { halfOpen: true })
  await using _debug = await deployClient(peer.port)
  await expect.poll(() => connected(peer.port)).toBe(true)
  await admin.inject('one')
  await expect.poll(() => peer.texts).toEqual(['one'])
  await admin.inject('one')
  await expect.poll(() => peer.texts).toEqual(['one', 'one'])
  peer.close()
})

test('messages that wait for the next connection are errors when nobody is there any more', async () => {
  const port = await freePort()
  const peer = await startPeer(port)
  await using debug = await deployClient(port)
  await expect.poll(() => connected(port)).toBe(true)
  peer.close()
  await admin.inject('many')
  expect(await nextOf(debug, 'completed')).toBe('<0>')
  for (let index = 1; index < COUNT; index += 1)
    expect(await nextOf(debug, 'caught', 5_000)).toMatch(/^not connected, \d bytes were not sent$/)
})
