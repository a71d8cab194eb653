import { afterAll, beforeAll, expect, test } from 'vitest'
import { forwarderHostName } from '../../src/ports/forwarder-name.ts'
import { PORTS_HEADER } from '../../src/ports/header.ts'
import { formatProxyHeader } from '../../src/tcp/proxy-protocol.ts'
import type { PortsView } from '../../src/ports/shared/view.ts'
import type { AdminClient } from '../../src/testing/admin-client.ts'
import type { DebugStream } from '../../src/testing/debug-stream.ts'
import { Neighbour } from '../support/neighbour.ts'
import { createNetwork, type TestNetwork } from '../support/network.ts'
import type { StartedNodeRedTcpContainer } from '../../src/testing/node-red-tcp-container.ts'
import { describeContainer, newContainer } from '../support/runtimes.ts'
import { TcpClient } from '../../src/testing/tcp-client.ts'
import { Tab } from '../nodes/flow-builder.ts'

const PORT = 15502
const DEVICE = { sourceAddress: '192.0.2.77', sourcePort: 40_000, destinationAddress: '192.0.2.1', destinationPort: PORT }
const HEADER = formatProxyHeader({ version: 2, ...DEVICE })
const AS_PART = { [PORTS_HEADER]: '1' }
const HELLO = Buffer.from('hello')
// Longer than an announcement is shown.
const FORGOTTEN_MS = 15_000

describeContainer('forwarders that announce themselves', () => {
  let nodeRed: StartedNodeRedTcpContainer
  let admin: AdminClient
  let network: TestNetwork
  let address: string
  beforeAll(async () => {
    network = await createNetwork()
    nodeRed = await newContainer().withNetworkMode(network.name).withEnvironment({ PUBLISHED_PORTS: '0.0.0.0:9500-9519' }).start()
    admin = await nodeRed.admin
    address = nodeRed.getIpAddress(network.name)
  })
  afterAll(async () => {
    await nodeRed?.[Symbol.asyncDispose]()
    await network?.[Symbol.asyncDispose]()
  })
  /** What Docker calls the forwarder of a port. */
  const forwarder = async (port: number) => await Neighbour.start(network.name, [forwarderHostName(port)])

  /** An echo on a port of its own for each test: what was announced of one stays known for a while. */
  async function deployEcho(port: number, ...others: number[]): Promise<void> {
    const tab = new Tab('live')
    for (const each of [port, ...others]) tab.tcpIn({ port: String(each), name: 'meters' }, tab.debug('seen'), tab.tcpOut({}))
    tab.add('status', { scope: null }, tab.debug('status', 'status'))
    await admin.deploy(tab.nodes)
  }

  const announce = async (neighbour: Neighbour, port: number, mode = 'v2') =>
    await neighbour.get(`http://${address}:1881/listeners/${port}?published=0.0.0.0:${port}&proxy=${mode}`)

  const view = async () => (await (await admin.request('/ports')).json()) as PortsView
  const rowOf = async (port: number) => (await view()).rows.find((row) => row.port === port)

  async function seen(debug: DebugStream): Promise<Record<string, unknown>> {
    return JSON.parse((await debug.next(({ name }) => name === 'seen')).msg) as Record<string, unknown>
  }

  test('msg.ip is the address of the device behind the forwarder, and the port counts as published', async () => {
    await using neighbour = await forwarder(PORT)
    await deployEcho(PORT)
    await using debug = await admin.debug()
    expect(await announce(neighbour, PORT)).toMatchObject({ status: 200, body: { port: PORT, state: 'listening', proxy: true } })
    expect(await neighbour.talk(address, PORT, Buffer.concat([HEADER, HELLO]))).toEqual(HELLO)
    expect(await seen(debug)).toMatchObject({ ip: DEVICE.sourceAddress, port: DEVICE.sourcePort })
    expect(await rowOf(PORT)).toMatchObject({ published: [{ by: 'forwarder', address: '0.0.0.0', hostPort: PORT }], problems: [] })
  })

  test('a forwarder may announce itself before anybody listens', async () => {
    await using neighbour = await forwarder(15504)
    await deployEcho(15503)
    expect((await announce(neighbour, 15504)).status).toBe(503)
    await deployEcho(15504)
    await using debug = await admin.debug()
    await neighbour.talk(address, 15504, Buffer.concat([HEADER, HELLO]))
    expect(await seen(debug)).toMatchObject({ ip: DEVICE.sourceAddress })
  })

  test('a header from another machine is refused, and so is a forwarder without one', async () => {
    await using neighbour = await forwarder(15505)
    await deployEcho(15505)
    await announce(neighbour, 15505)
    await using other = await Neighbour.start(network.name)
    await using debug = await admin.debug()
    expect(await other.talk(address, 15505, Buffer.concat([HEADER, HELLO]))).toBe('closed')
    expect(await neighbour.talk(address, 15505, HELLO)).toBe('closed')
    expect(await other.talk(address, 15505, HELLO)).toEqual(HELLO)
    expect(await seen(debug)).toMatchObject({ payload: { data: [...HELLO] } })
  })

  test('a forwarder is believed on its own port only', async () => {
    await using neighbour = await forwarder(15506)
    await deployEcho(15506, 15507)
    await announce(neighbour, 15506)
    await using debug = await admin.debug()
    expect(await neighbour.talk(address, 15507, Buffer.concat([HEADER, HELLO]))).toEqual(Buffer.concat([HEADER, HELLO]))
    expect((await seen(debug)).ip).not.toBe(DEVICE.sourceAddress)
  })

  test('a forwarder that sends no headers yet is told to, and does not pass for a device until it does', async () => {
    await using neighbour = await forwarder(15508)
    await deployEcho(15508)
    expect(await announce(neighbour, 15508, 'none')).toMatchObject({
      status: 503,
      mode: 'v2',
      body: { ignored: 'this listener takes PROXY headers' },
    })
    expect(await neighbour.talk(address, 15508, HELLO)).toBe('closed')
    expect(await neighbour.talk(address, 15508, Buffer.concat([HEADER, HELLO]))).toEqual(HELLO)
  })

  test('one that says nothing of headers is taken as it is', async () => {
    await using neighbour = await forwarder(15513)
    await deployEcho(15513)
    expect((await neighbour.get(`http://${address}:1881/listeners/15513?published=0.0.0.0:15513`)).status).toBe(200)
    expect(await neighbour.talk(address, 15513, HELLO)).toEqual(HELLO)
  })

  test('a forwarder that sends headers finds no way to a listener that does not read them', async () => {
    await using neighbour = await forwarder(1880)
    const why = 'this listener takes no PROXY header'
    expect(await announce(neighbour, 1880, 'v2')).toMatchObject({ status: 503, mode: 'none', body: { ignored: why } })
    expect(await announce(neighbour, 1880, 'none')).toMatchObject({ status: 200, mode: 'none' })
  })

  test.each([
    ['the published port', () => nodeRed.getStatusUrl(), 15509],
    // The network's gateway is the host, and has not the first address, by which one might know it.
    ['its address', () => `http://${address}:1881`, 15514],
  ])('from the host, by %s, an announcement is not heeded, and msg.ip not to be forged', async (_way, url, port) => {
    await deployEcho(port)
    const response = await fetch(`${url()}/listeners/${port}?published=0.0.0.0:${port}&proxy=v2`, { headers: AS_PART })
    expect(response.headers.get('forwarder-proxy')).toBe('none')
    const { ignored } = (await response.json()) as { ignored?: string }
    expect(ignored).toMatch(new RegExp(`^\\S+ is no container called forwarder-${port} on a network of this one$`))
    expect(await rowOf(port)).toMatchObject({ published: [], problems: [{ code: 'NOT_PUBLISHED' }] })
    await using debug = await admin.debug()
    await using client = await TcpClient.connect(port, address)
    await client.send(Buffer.concat([HEADER, HELLO]))
    expect(await seen(debug)).toMatchObject({ ip: network.gateway })
  })

  test('nor from a container that goes by another name', async () => {
    await deployEcho(15515)
    await using other = await Neighbour.start(network.name, ['forwarder', forwarderHostName(15516)])
    const url = `http://${address}:1881/listeners/15515?published=0.0.0.0:15515&proxy=v2`
    expect(await other.get(url)).toMatchObject({ mode: 'none', body: { ignored: expect.stringContaining('is no container called') } })
    expect(await rowOf(15515)).toMatchObject({ published: [] })
  })

  test('a forwarder that is silent is not shown for long, and the status of the node follows', { timeout: 60_000 }, async () => {
    await using debug = await admin.debug()
    const status = async (reach: string) =>
      await debug.next(({ name, msg }) => name === 'status' && msg.includes(`"reach":"${reach}"`), { within: FORGOTTEN_MS })
    await deployEcho(15510)
    await status('notPublished')
    await using neighbour = await forwarder(15510)
    await announce(neighbour, 15510)
    await status('published')
    await status('notPublished')
    expect(await rowOf(15510)).toMatchObject({ problems: [{ code: 'NOT_PUBLISHED' }] })
  })

  test('what the watcher could not publish is shown with the reason', async () => {
    await deployEcho(15511)
    const holder = `nginx <b>\u0007\u202e${'x'.repeat(300)}`
    const query = new URLSearchParams({ problem: 'HOST_PORT_TAKEN', hostPort: '15511', holder })
    await fetch(`${nodeRed.getStatusUrl()}/listeners/15511?${query.toString()}`, { headers: AS_PART })
    const [problem] = (await rowOf(15511))?.problems ?? []
    expect(problem).toMatchObject({ code: 'HOST_PORT_TAKEN', fix: 'npm run ports -- publish 15511 --host-port 15512' })
    expect(String(problem?.params.holder)).toMatch(/^nginx <b> {2}x+$/)
    expect(String(problem?.params.holder)).toHaveLength(200)
  })

  test.each(['problem=REFUSED&detail=lies', 'published=0.0.0.0:15512&proxy=v2'])(
    'a web page cannot report anything: without a header that none can send, %s is not heeded',
    async (query) => {
      await deployEcho(15512)
      const response = await fetch(`${nodeRed.getStatusUrl()}/listeners/15512?${query}`)
      expect(await response.json()).toMatchObject({ ignored: 'it comes without the header node-red-tcp-ports' })
      expect(await rowOf(15512)).toMatchObject({ problems: [{ code: 'NOT_PUBLISHED' }] })
    },
  )

  test('the ports need a login', async () => {
    expect((await fetch(`${nodeRed.getEditorUrl()}/ports`)).status).toBe(401)
  })
})

describeContainer('a container of which nobody has said what it publishes', () => {
  test('shows forwarders, takes no headers from them, and says nothing of other ports', async () => {
    await using network = await createNetwork()
    await using nodeRed = await newContainer().withNetworkMode(network.name).start()
    await using neighbour = await Neighbour.start(network.name, [forwarderHostName(9501)])
    const admin = await nodeRed.admin
    const view = async () => (await (await admin.request('/ports')).json()) as PortsView
    expect(await view()).toMatchObject({
      reach: 'unknown',
      rows: expect.arrayContaining([expect.objectContaining({ port: 9501, problems: [] })]),
    })
    const url = `http://${nodeRed.getIpAddress(network.name)}:1881/listeners/9501?published=0.0.0.0:9501`
    expect(await neighbour.get(`${url}&proxy=v2`)).toMatchObject({ status: 503, mode: 'none', body: { state: 'listening', proxy: false } })
    expect((await neighbour.get(`${url}&proxy=none`)).status).toBe(200)
    const now = await view()
    expect(now.reach).toBe('partly')
    expect(now.rows.find(({ port }) => port === 9501)?.published).toHaveLength(1)
    expect(now.rows.find(({ port }) => port === 9502)).toMatchObject({ published: [], problems: [] })
  })
})

// Answers whatever it is asked with what serves a stranger: every name leads to these addresses, and every address is called a forwarder.
const LYING_NAME_SERVER = `
const addresses = process.env.LIES.split(' ')
const socket = require('dgram').createSocket('udp4').bind(53)
const labels = (name) => Buffer.concat([...name.split('.').map((label) => Buffer.from(String.fromCharCode(label.length) + label)), Buffer.alloc(1)])
socket.on('message', (query, { address, port }) => {
  let end = 12
  while (query[end] !== 0) end += query[end] + 1
  const question = query.subarray(12, end + 5)
  const type = query.readUInt16BE(end + 1)
  const data = type === 1 ? addresses.map((a) => Buffer.from(a.split('.').map(Number))) : type === 12 ? [labels('x-port-15520.net')] : []
  const records = data.map((d) => {
    const head = Buffer.from([0xc0, 12, 0, type, 0, 1, 0, 0, 2, 88, 0, d.length])
    return Buffer.concat([head, d])
  })
  const header = Buffer.from(query.subarray(0, 12))
  header.writeUInt16BE(0x8180, 2)
  header.writeUInt16BE(records.length, 6)
  header.fill(0, 8)
  socket.send(Buffer.concat([header, question, ...records]), port, address)
})`

describeContainer('a name server of the network that lies', () => {
  test('makes nobody a forwarder, neither the host nor another container', async () => {
    await using network = await createNetwork()
    await using stranger = await Neighbour.start(network.name)
    const lies = [network.gateway, await stranger.address()]
    await using liar = await Neighbour.start(
      network.name,
      [],
      LYING_NAME_SERVER.replace('process.env.LIES', JSON.stringify(lies.join(' '))),
    )
    await using nodeRed = await newContainer()
      .withNetworkMode(network.name)
      .withNameServer(await liar.address())
      .withEnvironment({ PUBLISHED_PORTS: '0.0.0.0:9500-9519' })
      .start()
    const url = `http://${nodeRed.getIpAddress(network.name)}:1881/listeners/15520?published=0.0.0.0:15520&proxy=v2`
    const ignored = expect.stringContaining('is no container called forwarder-15520 on a network of this one') as string
    // It is asked, and lies.
    expect(
      (await nodeRed.exec(['node', '-e', 'require("dns").resolve4("forwarder-15520", (_, found) => console.log(found))'])).output,
    ).toContain(network.gateway)
    expect(await (await fetch(url, { headers: AS_PART })).json()).toMatchObject({ ignored })
    expect(await stranger.get(url)).toMatchObject({ mode: 'none', body: { ignored } })
    // Who is one still is.
    await using forwarder = await Neighbour.start(network.name, [forwarderHostName(15520)])
    expect((await forwarder.get(url)).body).not.toHaveProperty('ignored')
  })
})
