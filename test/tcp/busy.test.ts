import { once } from 'node:events'
import { connect, createServer, type AddressInfo } from 'node:net'
import { expect, test } from 'vitest'
import { parseAddressList } from '../../src/tcp/access-list.ts'
import { Budget } from '../../src/tcp/budget.ts'
import { readProxyHeader } from '../../src/tcp/proxy-greeting.ts'
import { Requester } from '../../src/tcp/requester.ts'
import type { ExchangeOptions } from '../../src/tcp/requester/exchange.ts'
import { TcpPeer } from '../../src/testing/tcp-peer.ts'
import { LINES, startListening } from './support/listening.ts'

const MANY = 1_000_000
const LIMIT_MS = 150

/** Keeps the process from everything for longer than the limit, so that its timers fire before sockets are looked at. */
function beBusy(): void {
  const end = performance.now() + 2 * LIMIT_MS
  while (performance.now() < end);
}

function startAsking(port: number, changes: Partial<ExchangeOptions>) {
  const replies: string[] = []
  const errors: string[] = []
  const note = (error: Error | undefined) => void (error && errors.push(error.message))
  const options: ExchangeOptions = {
    ...{ host: '127.0.0.1', port, tls: undefined, end: { kind: 'count', bytes: 4 }, maxReply: MANY, maxWaiting: 10, separate: true },
    ...{ writeLimit: { bytes: MANY, disconnect: true }, patience: { timeoutMs: LIMIT_MS, othersWaitMs: LIMIT_MS } },
    ...changes,
  }
  const requester = new Requester<string>(options, {
    onReply: (_about, payload) => void replies.push(String(payload)),
    onFailure: (_about, error) => note(error),
    onConnected() {},
    onEnded() {},
    onWaiting() {},
    onIdle() {},
  })
  const ask = (text: string) => requester.send({ about: text, bytes: Buffer.from(text), done: note })
  return { replies, errors, ask, [Symbol.dispose]: () => requester.stop('the test ends') }
}

test('a peer that has sent something while the process was busy has not been silent', async () => {
  await using listening = await startListening({ intake: LINES, settings: { idleMs: LIMIT_MS } })
  const peer = await listening.connect()
  await expect.poll(() => listening.listener.sessions.size).toBe(1)
  peer.write('x\n')
  beBusy()
  await expect.poll(() => listening.payloads).toEqual(['x'])
})

test('nor has a device that took the connection, or answered, meanwhile', async () => {
  await using device = await TcpPeer.listen()
  using asking = startAsking(device.port, {})
  asking.ask('question')
  // The connection is made behind this turn.
  process.nextTick(beBusy)
  const there = await device.accept()
  await there.expect('question')
  void there.send('1234')
  beBusy()
  await expect.poll(() => asking.replies).toEqual(['1234'])
  expect(asking.errors).toEqual([])
})

test('a reply that ends with time has all that had come by then', async () => {
  const budget = new Budget(MANY)
  await using device = await TcpPeer.listen()
  using asking = startAsking(device.port, { end: { kind: 'time', ms: LIMIT_MS }, budget })
  asking.ask('question')
  const there = await device.accept()
  await there.expect('question')
  await there.send('ab')
  await expect.poll(() => budget.received, { interval: 5 }).toBe(2)
  // Behind this turn’s look at sockets.
  setImmediate(() => {
    void there.send('cd')
    beBusy()
  })
  await expect.poll(() => asking.replies).toEqual(['abcd'])
})

const OTHERS = parseAddressList('198.51.100.0/24')
const HEADER = 'PROXY TCP4 198.51.100.7 203.0.113.1 4711 9504\r\n'

test('a header of a client that is not trusted is none of its data, though most of it came while the process was busy', async () => {
  await using listening = await startListening({ settings: { proxyTrusted: OTHERS } })
  const client = await listening.connect()
  await expect.poll(() => listening.listener.sessions.size).toBe(1)
  const [session] = listening.listener.sessions
  client.write(HEADER.slice(0, 4))
  await expect.poll(() => session!.socket.bytesRead, { interval: 5 }).toBe(4)
  // Behind this turn’s look at sockets.
  setImmediate(() => {
    client.write(HEADER.slice(4))
    beBusy()
  })
  await expect.poll(() => client.resume().closed).toBe(true)
  expect(listening.payloads).toEqual([])
  expect(listening.refusals.join()).toContain('is not trusted to')
})

test('a relay whose header came while the process was busy has greeted in time', async () => {
  const outcome = Promise.withResolvers<string>()
  const server = createServer({ pauseOnConnect: true }, (socket) => {
    server.close()
    readProxyHeader(socket, {
      ...{ relay: '127.0.0.1', timeoutMs: LIMIT_MS },
      onAddress: ({ ip }) => outcome.resolve(ip),
      onRefused: outcome.resolve,
    })
    setImmediate(() => {
      relay.write(HEADER)
      beBusy()
    })
    void outcome.promise.then(() => socket.destroy())
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const relay = connect((server.address() as AddressInfo).port, '127.0.0.1').on('error', () => {})
  expect(await outcome.promise).toBe('198.51.100.7')
  relay.destroy()
})
