import { connect } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { formatProxyHeader } from '../../src/tcp/proxy-protocol.ts'
import type { AdminClient } from '../../src/testing/admin-client.ts'
import { logsOf } from '../support/containers.ts'
import type { StartedNodeRedTcpContainer } from '../../src/testing/node-red-tcp-container.ts'
import { describeContainer, newContainer } from '../support/runtimes.ts'
import type { TcpClient } from '../../src/testing/tcp-client.ts'
import { nextOf, open } from './defects/defect.ts'
import { flowOf, Tab } from './flow-builder.ts'

const ENDPOINTS = { sourceAddress: '198.51.100.7', sourcePort: 4711, destinationAddress: '203.0.113.1', destinationPort: 9504 }

describeContainer('limits', () => {
  let nodeRed: StartedNodeRedTcpContainer
  let admin: AdminClient

  beforeAll(async () => {
    nodeRed = await newContainer().withExposedPorts(9504, 9505).start()
    admin = await nodeRed.admin
  })
  afterAll(async () => {
    await nodeRed[Symbol.asyncDispose]()
  })

  /** An echo on 9504 with these properties that also shows each message's ip and port. */
  async function deployEcho(properties: Record<string, unknown>): Promise<void> {
    const tab = new Tab('limits')
    tab.tcpIn({ port: '9504', name: 'limited', ...properties }, tab.tcpOut({}), tab.debug('seen'))
    tab.watch()
    await admin.deploy(flowOf(tab))
    await expect.poll(async () => (await fetch(`${nodeRed.getStatusUrl()}/readyz`)).status).toBe(200)
  }

  async function echoes(client: TcpClient): Promise<boolean> {
    const answered = client.send('ping').then(() => client.expect('ping', { within: 1_500 }))
    return await answered.then(
      () => true,
      () => false,
    )
  }

  test.each([
    ['allow', { allow: '198.51.100.0/24' }, false, 'its address is not on the allow list'],
    ['allow', { allow: '198.51.100.0/24 172.16.0.0/12' }, true, ''],
    ['deny', { deny: '172.16.0.0/12' }, false, 'its address is on the deny list'],
    ['deny', { deny: '198.51.100.7, 2001:db8::/32' }, true, ''],
    ['per address', { maxPerAddress: '1' }, true, ''],
  ])('the %s list decides who gets in: %j', async (_name, properties, allowed, reason) => {
    await deployEcho(properties)
    await using client = await nodeRed.tcp(9504)
    expect(await echoes(client)).toBe(allowed)
    // Refusals are reported at a bounded rate.
    if (reason) await expect.poll(() => logsOf(nodeRed.getId()), { timeout: 15_000 }).toContain(reason)
  })

  test('one address gets no more connections than allowed, and a place is free again when one goes', async () => {
    await deployEcho({ maxPerAddress: '2' })
    const [one, two, three] = [await open(nodeRed, 9504), await open(nodeRed, 9504), await nodeRed.tcp(9504)]
    expect([await echoes(one), await echoes(two), await echoes(three)]).toEqual([true, true, false])
    one.reset()
    const getsIn = async () => {
      await using again = await nodeRed.tcp(9504)
      return await echoes(again)
    }
    await expect.poll(getsIn, { timeout: 10_000 }).toBe(true)
    two.reset()
    const listeners = (await (await fetch(`${nodeRed.getStatusUrl()}/listeners`)).json()) as { port: number; refused: number }[]
    expect(listeners.find(({ port }) => port === 9504)?.refused).toBeGreaterThan(0)
  })

  test.each([1, 2] as const)('the address in a PROXY protocol v%i header of a trusted relay is msg.ip', async (version) => {
    await deployEcho({ proxyTrusted: '172.16.0.0/12' })
    await using debug = await admin.debug()
    await using client = await nodeRed.tcp(9504)
    const header = formatProxyHeader({ version, ...ENDPOINTS })
    // In two pieces, the second with data behind it.
    await client.send(header.subarray(0, 9))
    await client.send(Buffer.concat([header.subarray(9), Buffer.from('through a relay')]))
    const message = JSON.parse((await debug.next(({ name }) => name === 'seen')).msg) as Record<string, unknown>
    expect(message).toMatchObject({ ip: ENDPOINTS.sourceAddress, port: ENDPOINTS.sourcePort })
    await client.expect('through a relay')
  })

  test('a trusted relay that sends no header is refused', async () => {
    await deployEcho({ proxyTrusted: '172.16.0.0/12' })
    await using client = await nodeRed.tcp(9504)
    await client.send('no header here, just data\n')
    await client.expectClose()
  })

  test('a header from somebody who is not trusted is refused, and data is not', async () => {
    await deployEcho({ proxyTrusted: '198.51.100.0/24' })
    await using honest = await nodeRed.tcp(9504)
    await honest.send('PRO')
    await honest.send('GRESS')
    await honest.expect('PROGRESS')
    await using forger = await nodeRed.tcp(9504)
    await using debug = await admin.debug()
    await forger.send(formatProxyHeader({ version: 1, ...ENDPOINTS }))
    await forger.expectClose()
    expect(await nextOf(debug, 'seen', 300)).toBe('nothing')
  })

  test('a silent half-open peer is closed for real', async () => {
    await deployEcho({ idleTimeout: '1' })
    const socket = connect({ port: 9504, host: nodeRed.getIpAddress(nodeRed.getNetworkNames()[0]!), allowHalfOpen: true })
    socket.on('error', () => {})
    socket.resume()
    await new Promise((resolve) => socket.once('close', resolve))
  })

  test('a slow client is disconnected while the others get every message', async () => {
    const tab = new Tab('slow')
    tab.tcpIn({ port: '9504' }, tab.tcpOut({ beserver: 'server', port: '9505', writeBuffer: '1000000' }))
    tab.watch()
    await admin.deploy(flowOf(tab))
    await using debug = await admin.debug()
    await using quick = await open(nodeRed, 9505)
    await using slow = await open(nodeRed, 9505)
    slow.socket.pause()
    await using source = await open(nodeRed, 9504)
    const block = Buffer.alloc(500_000, 'x')
    let seen = 0
    const error = nextOf(debug, 'caught', 20_000)
    const caught = error.then(() => true)
    let over = false
    void caught.then(() => (over = true))
    while (!over) {
      await source.send(block)
      await quick.expect(block)
      seen += block.length
      expect(seen).toBeLessThan(200_000_000)
    }
    expect(await error).toMatch(
      /1 of 2 clients did not get the message: .* takes its bytes too slowly: \d+ bytes wait, \d+ more would exceed the limit of 1000000; it was disconnected/,
    )
    expect(await (await fetch(`${nodeRed.getStatusUrl()}/metrics`)).text()).toMatch(
      /node_red_tcp_slow_peer_disconnects_total\{port="9505",direction="in"\} 1/,
    )
  })

  test('reading stops while more messages are on their way than allowed, and goes on when they are done', async () => {
    const tab = new Tab('busy')
    const sink = tab.debug('done', 'payload')
    const delay = tab.add(
      'delay',
      { pauseType: 'rate', timeout: '1', rate: '20', nbRateUnits: '1', rateUnits: 'second', drop: false, outputs: 1 },
      sink,
    )
    tab.tcpIn({ port: '9504', datatype: 'utf8', newline: '\\n', maxPending: '5' }, delay)
    await admin.deploy(flowOf(tab))
    await using debug = await admin.debug()
    await using client = await open(nodeRed, 9504)
    const lines = Array.from({ length: 40 }, (_, index) => `line ${index}`)
    await client.send(`${lines.join('\n')}\n`)
    const inside = async () => {
      const sessions = (await (await fetch(`${nodeRed.getStatusUrl()}/sessions`)).json()) as { localPort: number; framesIn?: number }[]
      return sessions.find(({ localPort }) => localPort === 9504)?.framesIn ?? 0
    }
    await nextOf(debug, 'done')
    expect(await inside()).toBeLessThan(12)
    const seen: string[] = []
    while (seen.length < lines.length - 1) seen.push(await nextOf(debug, 'done'))
    expect(seen).toEqual(lines.slice(1))
  })

  test('a session can be closed through the admin API', async () => {
    await deployEcho({})
    await using client = await open(nodeRed, 9504)
    const sessions = (await (await fetch(`${nodeRed.getStatusUrl()}/sessions`)).json()) as { localPort: number; session?: string }[]
    const id = sessions.find(({ localPort }) => localPort === 9504)!.session!
    expect((await fetch(`${nodeRed.getEditorUrl()}/tcp/sessions/${id}`, { method: 'DELETE' })).status).toBe(401)
    expect((await admin.request(`/tcp/sessions/${id}`, { method: 'DELETE' })).status).toBe(204)
    await client.expectClose()
    const again = () => admin.request(`/tcp/sessions/${id}`, { method: 'DELETE' }).catch((error: Error) => error.message)
    await expect.poll(again).toContain('404')
  })
})
