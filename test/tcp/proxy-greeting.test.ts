import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { expect, test } from 'vitest'
import { readProxyHeader } from '../../src/tcp/proxy-greeting.ts'
import { parseAddressList } from '../../src/tcp/access-list.ts'
import { startListening, type Listening } from './support/listening.ts'

/** Only others are trusted. */
async function startProxied(): Promise<Listening> {
  return await startListening({ settings: { proxyTrusted: parseAddressList('198.51.100.0/24') } })
}

const HEADER = 'PROXY TCP4 198.51.100.7 203.0.113.1 4711 9504\r\n'

test.each(['P', '\r\n', '\r\n\r\n\0\r\nQUI', 'PROXY'])('a client that is not trusted and sends %j is heard in a moment', async (text) => {
  await using listener = await startProxied()
  const client = await listener.connect()
  client.write(text)
  const sent = performance.now()
  await expect.poll(() => listener.payloads.join(''), { interval: 10, timeout: 2_000 }).toBe(text)
  expect(performance.now() - sent).toBeLessThan(1_000)
  client.write(' and more')
  await expect.poll(() => listener.payloads.join('')).toBe(`${text} and more`)
  expect(listener.refusals).toEqual([])
})

test('what is held of a client is heard once when it ends at once', async () => {
  await using listener = await startProxied()
  const client = await listener.connect()
  client.end('P')
  await once(client.resume(), 'close')
  expect(listener.payloads.map(String)).toEqual(['P'])
})

test('a header of a client that is not trusted is refused, in pieces too', async () => {
  await using listener = await startProxied()
  const client = await listener.connect()
  client.write(HEADER.slice(0, 4))
  client.write(HEADER.slice(4))
  await expect.poll(() => client.resume().closed).toBe(true)
  expect(listener.payloads).toEqual([])
  expect(listener.refusals.join()).toContain('is not trusted to')
})

test('a silent client is a session from the start', async () => {
  await using listener = await startProxied()
  const client = await listener.connect()
  await expect.poll(() => listener.listener.sessions.size).toBe(1)
  const [session] = listener.listener.sessions
  session!.write(Buffer.from('welcome'), { limit: { bytes: 1024, disconnect: false }, done() {} })
  expect(String((await once(client, 'data'))[0])).toBe('welcome')
})

async function greet(timeoutMs: number): Promise<{ relay: Socket; outcome: Promise<string> }> {
  const server = createServer({ pauseOnConnect: true }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const relay = connect({ port: (server.address() as AddressInfo).port, host: '127.0.0.1', noDelay: true })
  relay.on('error', () => {})
  const [socket] = (await once(server, 'connection')) as [Socket]
  server.close()
  const outcome = new Promise<string>((resolve) => {
    readProxyHeader(socket, { relay: '127.0.0.1', timeoutMs, onAddress: ({ ip }) => resolve(ip), onRefused: resolve })
  })
  void outcome.then(() => socket.destroy())
  return { relay, outcome }
}

test('a header that drips has no more time than any other', async () => {
  const { relay, outcome } = await greet(300)
  let sent = 0
  const drip = setInterval(() => relay.write(HEADER.slice(sent, (sent += 1))), 50)
  expect(await outcome).toBe('its PROXY protocol header was not whole after 300 ms')
  clearInterval(drip)
  expect(sent).toBeLessThan(HEADER.length / 2)
})

test('a relay that says nothing is refused, and one that speaks late has its time from then on', async () => {
  const [silent, late] = [await greet(300), await greet(1_000)]
  expect(await silent.outcome).toBe('no PROXY protocol header came')
  late.relay.write(HEADER.slice(0, 1))
  late.relay.write(HEADER.slice(1))
  expect(await late.outcome).toBe('198.51.100.7')
})
