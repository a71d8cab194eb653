import { once } from 'node:events'
import { type AddressInfo } from 'node:net'
import { connect, createServer, type ConnectionOptions, type TLSSocket } from 'node:tls'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { AdminClient } from '../../src/testing/admin-client.ts'
import { createAuthority, type Certificate } from '../../src/testing/certificates.ts'
import { logsOf } from '../support/containers.ts'
import type { StartedNodeRedTcpContainer } from '../../src/testing/node-red-tcp-container.ts'
import { describeContainer, newContainer } from '../support/runtimes.ts'
import { nextOf, open } from './defects/defect.ts'
import { flowOf, Tab, tlsConfig } from './flow-builder.ts'

const HOST = 'host.docker.internal'

describeContainer('TLS', () => {
  const { ca, issue } = createAuthority()
  const server = issue('node-red.test')
  const peer = issue(HOST)
  let nodeRed: StartedNodeRedTcpContainer
  let admin: AdminClient

  beforeAll(async () => {
    nodeRed = await newContainer().withExposedPorts(9504).start()
    admin = await nodeRed.admin
  })
  afterAll(async () => {
    await nodeRed[Symbol.asyncDispose]()
  })

  async function deployListener(properties: Record<string, unknown>, certificate: Certificate = server): Promise<void> {
    const tab = new Tab('tls')
    tab.tcpIn({ port: '9504', tls: 'tls-1', name: 'secure', ...properties }, tab.tcpOut({}))
    tab.watch()
    tab.add('status', { scope: null }, tab.debug('status', 'status'))
    await admin.deploy([...flowOf(tab), tlsConfig(certificate, { ca })])
  }

  async function connectTls(options: ConnectionOptions = {}): Promise<TLSSocket> {
    const socket = connect({ port: nodeRed.getMappedPort(9504), host: nodeRed.getHost(), servername: 'node-red.test', ca, ...options })
    await once(socket, 'secureConnect')
    return socket
  }

  async function echo(socket: TLSSocket): Promise<string> {
    socket.write('secret')
    const [chunk] = (await once(socket, 'data')) as [Buffer]
    socket.destroy()
    return chunk.toString()
  }

  test('a listener speaks it, and a deploy keeps the session', async () => {
    await deployListener({})
    const probe = await open(nodeRed, 9504)
    probe.reset()
    const socket = await connectTls()
    await deployListener({ topic: 'changed' })
    expect(await echo(socket)).toBe('secret')
  })

  test('a client without a certificate is refused where one is required, and one with it gets in', async () => {
    await deployListener({ clientCert: 'require' })
    const probe = await open(nodeRed, 9504)
    probe.reset()
    const refused = connect({ port: nodeRed.getMappedPort(9504), host: nodeRed.getHost(), servername: 'node-red.test', ca })
    refused.on('error', () => {})
    await new Promise((resolve) => refused.once('close', resolve))
    expect(await echo(await connectTls(issue('device.test')))).toBe('secret')
  })

  test('a handshake that fails is in the log', async () => {
    await deployListener({})
    await using client = await nodeRed.tcp(9504)
    await client.send('this is no TLS\n')
    await client.expectClose()
    await expect.poll(() => logsOf(nodeRed.getId())).toMatch(/\[warn\] \[tcp in:secure\] .*TLS handshake failed/)
  })

  test.each([
    ['expired', { from: '200101000000Z', to: '210101000000Z' }, /expired on 2021-01-01/],
    ['not valid yet', { from: '390101000000Z' }, /is not valid before 2039-01-01/],
  ])('a listener with a certificate that is %s listens, and says so in log and status', async (state, dates, message) => {
    await admin.deploy([])
    await using debug = await admin.debug()
    await deployListener({}, issue('dated.test', dates))
    await expect.poll(() => logsOf(nodeRed.getId())).toMatch(message)
    await expect.poll(() => nextOf(debug, 'status')).toContain(`certificate ${state}`)
    expect(await echo(await connectTls({ rejectUnauthorized: false }))).toBe('secret')
  })

  test.each([
    ['without its key', () => ({ cert: server.cert, key: peer.key }), /the TLS certificate or key cannot be used/],
    ['unreadable', () => ({ cert: 'garbage', key: 'garbage' }), /the TLS certificate or key cannot be used/],
  ])('a certificate that is %s stops the node with an error', async (_name, certificate, message) => {
    await admin.deploy([])
    await using debug = await admin.debug()
    await deployListener({}, certificate())
    expect(await nextOf(debug, 'caught')).toMatch(message)
  })

  test.each([
    ['a certificate of a known authority', () => peer, true, 'answer'],
    ['a certificate for another name', () => server, true, 'nothing'],
    ['a certificate of an unknown authority', () => createAuthority().issue(HOST), true, 'nothing'],
    ['a certificate of an unknown authority, unchecked', () => createAuthority().issue(HOST), false, 'answer'],
  ])('tcp request meets %s', async (_name, certificate, verify, expected) => {
    let asked = ''
    const device = createServer({ ...certificate(), SNICallback: (name, done) => ((asked = name), done(null)) }, (socket) => {
      socket.on('error', () => {})
      socket.on('data', () => socket.write('answer\n'))
    }).listen(0, '0.0.0.0')
    device.on('tlsClientError', () => {})
    await once(device, 'listening')
    const tab = new Tab('tls')
    const request = tab.tcpRequest(
      { server: HOST, port: String((device.address() as AddressInfo).port), out: 'char', splitc: '\\n', ret: 'string', tls: 'tls-1' },
      tab.debug('seen', 'payload'),
    )
    tab.text('ask', 'ask', request)
    tab.watch()
    await admin.deploy([...flowOf(tab), tlsConfig(undefined, { ca, verify })])
    await using debug = await admin.debug()
    await admin.inject('ask')
    const { name, msg } = await debug.next(({ name }) => name === 'seen' || name === 'caught')
    if (expected === 'answer') expect(msg).toBe('answer\n')
    else expect([name, msg]).toEqual(['caught', expect.stringMatching(/cannot connect to host\.docker\.internal:\d+: /)])
    expect(asked).toBe(HOST)
    device.close()
  })
})
