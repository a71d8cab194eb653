import type { Socket } from 'node:net'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { expect, test } from 'vitest'
import { networkOf } from '../../src/text/address.ts'
import { Budget, type Holder } from '../../src/tcp/budget.ts'
import type { TcpError } from '../../src/tcp/errors.ts'
import type { IntakeOptions, Payload } from '../../src/tcp/intake/intake.ts'
import { memoryLimit, parseMemory } from '../../src/tcp/memory.ts'
import { Requester } from '../../src/tcp/requester.ts'
import { createReplyReader } from '../../src/tcp/requester/reply.ts'
import type { Session } from '../../src/tcp/session.ts'
import { LINES, PASSED_ON, startListening, type Listening } from './support/listening.ts'

const MIB = 1024 * 1024
const LIMIT = { bytes: 64 * MIB, disconnect: true }
const SINGLE: IntakeOptions = { ...PASSED_ON, framing: { kind: 'single' } }

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

/** Sends as many bytes as are still taken. */
async function send(socket: Socket, bytes: Buffer): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  socket.once('close', resolve)
  socket.write(bytes, () => resolve())
  await promise
  socket.off('close', resolve)
}

/** The addresses whose connections are still there. */
function present({ listener }: Listening): string[] {
  return [...listener.sessions].map(({ ip }) => ip).sort()
}

function disconnected({ gone }: Listening): string[] {
  return gone.map((cause) => / was disconnected: /.exec(cause?.message ?? '')?.input.split(':')[0] ?? 'another reason')
}

test.each<[string, IntakeOptions, Buffer]>([
  ['lines of UTF-8', LINES, Buffer.alloc(1_500_000, 'x')],
  ['lines in GBK', { ...LINES, encoding: 'gbk' }, Buffer.alloc(800_000, 'x')],
  ['whole streams', SINGLE, Buffer.alloc(1_500_000, 'x')],
  ['frames by length', { ...PASSED_ON, framing: { kind: 'fixed', length: 1e9 } }, Buffer.alloc(1_500_000, 'x')],
])('%s that are not whole have a limit in common', async (_name, intake, bytes) => {
  const budget = new Budget(8 * MIB)
  await using listening = await startListening({ intake, budget })
  const peers = await Promise.all(Array.from({ length: 12 }, () => listening.connect()))
  await Promise.all(peers.map((peer) => send(peer, bytes)))
  await expect.poll(() => budget.evicted).toBeGreaterThan(0)
  expect(budget.total).toBeLessThanOrEqual(8 * MIB)
  await expect.poll(() => listening.gone.length).toBe(budget.evicted)
  expect(listening.gone[0]?.message).toMatch(
    /^127\.0\.0\.1:\d+ \(tcp in "test"\) was disconnected: [\d.]+ (KiB|MiB) that came from it and are no whole message yet were held, .* 8\.0 MiB \(TCP_MEMORY\)/,
  )
  // The rest goes on.
  const good = await listening.connect()
  good.end('good\n')
  await expect.poll(() => listening.payloads.some((payload) => String(payload).startsWith('good'))).toBe(true)
})

test('what is passed on is held no more', async () => {
  const budget = new Budget(2 * MIB)
  await using listening = await startListening({ intake: LINES, budget })
  const peer = await listening.connect()
  for (let count = 0; count < 8; count += 1) await send(peer, Buffer.from(`${'x'.repeat(MIB)}\n`))
  await expect.poll(() => listening.payloads.length).toBe(8)
  expect([budget.total, budget.evicted]).toEqual([0, 0])
  await send(peer, Buffer.alloc(100_000))
  await expect.poll(() => budget.received).toBe(100_000)
  peer.resetAndDestroy()
  await expect.poll(() => budget.received).toBe(0)
})

test('the address that holds most goes first, and of it the connection that holds most', async () => {
  const budget = new Budget(8 * MIB)
  await using listening = await startListening({ intake: SINGLE, budget })
  for (const [localAddress, size] of [
    ['127.0.0.2', 3.5],
    ['127.0.0.3', 2],
    ['127.0.0.3', 1.75],
    ['127.0.0.4', 0.5],
  ] as const) {
    const peer = await listening.connect({ localAddress })
    await send(peer, Buffer.alloc(size * MIB))
    await expect.poll(() => [...listening.listener.sessions].at(-1)!.heldBytes).toBe(size * MIB)
  }
  const last = await listening.connect({ localAddress: '127.0.0.4' })
  await send(last, Buffer.alloc(MIB))
  await expect.poll(() => budget.evicted).toBe(1)
  await expect.poll(() => disconnected(listening)).toEqual(['127.0.0.3'])
  expect(listening.gone[0]?.message).toMatch(/ 2\.0 MiB .* 3\.8 MiB for 127\.0\.0\.3/)
  expect(present(listening)).toEqual(['127.0.0.2', '127.0.0.3', '127.0.0.4', '127.0.0.4'])
})

test('who takes replies slowly stays while strangers hold less each of what is not whole', async () => {
  const budget = new Budget(16 * MIB)
  const reply = (session: Session) => session.write(Buffer.alloc(8 * MIB), { limit: LIMIT, done() {} })
  await using listening = await startListening({ intake: LINES, budget, onPayload: reply })
  const device = await listening.connect()
  device.pause()
  device.write('question\n')
  await expect.poll(() => budget.unsent).toBeGreaterThan(MIB)
  for (let count = 0; count < 20; count += 1) {
    const stranger = await listening.connect({ localAddress: `127.0.1.${count + 1}` })
    await send(stranger, Buffer.alloc(MIB, 'x'))
  }
  await expect.poll(() => budget.evicted).toBeGreaterThan(3)
  expect(disconnected(listening)).not.toContain('127.0.0.1')
  expect(present(listening)).toContain('127.0.0.1')
})

test('who holds for long goes before a device that holds a little more for a moment', () => {
  const budget = new Budget(1_000)
  const gone: string[] = []
  const hold = (ip: string, bytes: number) => {
    const holder: Holder = { ip, label: ip, evict: () => void gone.push(ip) }
    budget.open(holder).setReceived(bytes)
  }
  for (let count = 0; count < 10; count += 1) hold(`10.0.1.${count}`, 90)
  budget.ticks += 5
  hold('10.0.0.1', 110)
  expect([gone.length, gone.includes('10.0.0.1')]).toEqual([1, false])
})

test('peers that do not read have a limit in common, and what could not be sent is an error', async () => {
  const budget = new Budget(8 * MIB)
  const errors: string[] = []
  await using listening = await startListening({
    budget,
    onPayload: (session, payload) =>
      session.write(payload as Buffer, { limit: LIMIT, done: (error) => void (error && errors.push(error.message)) }),
  })
  // An echo: whoever does not read has all of it waiting.
  const peers = await Promise.all(Array.from({ length: 4 }, () => listening.connect()))
  for (const peer of peers) peer.pause()
  await Promise.all(peers.map((peer) => send(peer, Buffer.alloc(12 * MIB))))
  await expect.poll(() => budget.evicted).toBeGreaterThan(0)
  expect(budget.total).toBeLessThanOrEqual(8 * MIB)
  await expect.poll(() => errors.length).toBeGreaterThan(0)
  expect(errors[0]).toMatch(/were not sent: 127\.0\.0\.1:\d+ .* that wait for it were held, .*\(TCP_MEMORY\)/)
})

test('a message to many peers that do not read is counted once', async () => {
  const budget = new Budget(64 * MIB)
  await using listening = await startListening({ budget })
  const peers = await Promise.all(Array.from({ length: 5 }, () => listening.connect()))
  for (const peer of peers) peer.pause()
  await expect.poll(() => listening.listener.sessions.size).toBe(5)
  const bytes = Buffer.alloc(16 * MIB)
  for (const session of listening.listener.sessions) session.write(bytes, { limit: LIMIT, done() {} })
  const isOnce = () => budget.unsent >= 16 * MIB && budget.unsent < 17 * MIB
  expect(isOnce()).toBe(true)
  peers[0]!.resetAndDestroy()
  await expect.poll(() => listening.gone.length).toBe(1)
  expect(isOnce()).toBe(true)
  for (const peer of peers) peer.resetAndDestroy()
  await expect.poll(() => budget.unsent).toBe(0)
})

test.each(['', 'x'])('messages of %j count by their number: each keeps more than its bytes', async (text) => {
  const budget = new Budget(8 * MIB)
  await using listening = await startListening({ budget })
  const peer = await listening.connect()
  peer.pause()
  await expect.poll(() => listening.listener.sessions.size).toBe(1)
  const [session] = listening.listener.sessions
  const errors: unknown[] = []
  let done = 0
  const write = (bytes: Buffer) => session!.write(bytes, { limit: LIMIT, done: (error) => (error ? errors.push(error) : (done += 1)) })
  while (session!.bufferedBytes === 0) {
    write(Buffer.alloc(MIB))
    await new Promise(setImmediate)
  }
  const bytes = Buffer.from(text)
  let small = 0
  for (; small < 50_000 && listening.gone.length === 0; small += 1) {
    write(bytes)
    if (small % 100 === 0) await new Promise(setImmediate)
  }
  expect(budget.evicted).toBe(1)
  expect(small).toBeGreaterThan(1_000)
  await expect.poll(() => listening.gone.map((cause) => (cause as TcpError).code)).toEqual(['MEMORY'])
  await expect.poll(() => errors.length).toBeGreaterThan(1_000)
  expect(budget.total).toBe(0)
})

test('what was taken after all counts no more, however small', async () => {
  const budget = new Budget(64 * MIB)
  await using listening = await startListening({ budget })
  const peer = await listening.connect()
  peer.pause()
  await expect.poll(() => listening.listener.sessions.size).toBe(1)
  const [session] = listening.listener.sessions
  while (session!.bufferedBytes === 0) {
    session!.write(Buffer.alloc(MIB), { limit: LIMIT, done() {} })
    await new Promise(setImmediate)
  }
  for (let count = 0; count < 1_000; count += 1) session!.write(Buffer.from('x'), { limit: LIMIT, done() {} })
  await expect.poll(() => budget.unsent).toBeGreaterThan(MIB + 100 * 1_000)
  peer.resume()
  await expect.poll(() => budget.total).toBe(0)
})

test('what comes byte by byte while nothing is read is kept in one piece, and comes out whole before the end', async () => {
  const budget = new Budget(MIB)
  let session: Session | undefined
  const lines: unknown[] = []
  await using listening = await startListening({
    intake: LINES,
    budget,
    onPayload(from, payload) {
      session = from
      lines.push(payload)
      from.pause('busy')
    },
  })
  const peer = await listening.connect()
  peer.setNoDelay(true)
  peer.write('first\n')
  await expect.poll(() => session).toBeDefined()
  for (const byte of 'second\nthird\n') await send(peer, Buffer.from(byte))
  peer.end()
  await expect
    .poll(() => {
      session!.look()
      return budget.received
    })
    .toBe('second\nthird\n'.length)
  expect(session!.socket.readableLength).toBe('second\nthird\n'.length)
  session!.resume('busy')
  await expect.poll(() => lines).toEqual(['first', 'second'])
  session!.resume('busy')
  await expect.poll(() => lines).toEqual(['first', 'second', 'third'])
  session!.resume('busy')
  await expect.poll(() => listening.gone).toEqual([undefined])
  expect(budget.total).toBe(0)
})

test('a few bytes do not keep the chunk that they came in', async () => {
  await using listening = await startListening({ intake: LINES, budget: new Budget(MIB) })
  const peer = await listening.connect()
  const before = process.memoryUsage().arrayBuffers
  const peers = await Promise.all(Array.from({ length: 100 }, () => listening.connect()))
  for (const other of [peer, ...peers]) await send(other, Buffer.from(`${'x'.repeat(60_000)}\nx`))
  await expect.poll(() => listening.payloads.length).toBe(101)
  const held = () => {
    collect()
    return process.memoryUsage().arrayBuffers - before
  }
  await expect.poll(held).toBeLessThan(2 * MIB)
})

test('replies that are not whole, and requests that wait, count as well', async () => {
  const budget = new Budget(2 * MIB)
  await using device = await startListening({ onPayload: (session) => session.write(Buffer.alloc(1_200_000), { limit: LIMIT, done() {} }) })
  const failures: string[] = []
  const ask = (sent: (error?: Error) => void, bytes: Buffer) => {
    const requester = new Requester<string>(
      {
        ...{ host: '127.0.0.1', port: device.port, tls: undefined, end: { kind: 'count', bytes: 1e7 }, maxReply: 1e9, maxWaiting: 100 },
        ...{ writeLimit: LIMIT, patience: { timeoutMs: 0, othersWaitMs: 0 }, separate: true, budget },
      },
      {
        onReply() {},
        onFailure: (_about, error) => failures.push(error.message),
        onConnected() {},
        onEnded() {},
        onWaiting() {},
        onIdle() {},
      },
    )
    requester.send({ about: '', bytes: Buffer.from('question'), done() {} })
    if (bytes.length > 0) requester.send({ about: '', bytes, done: sent })
    return requester
  }
  const first = ask(() => {}, Buffer.alloc(0))
  await expect.poll(() => budget.received).toBe(1_200_000)
  const second = ask(() => {}, Buffer.alloc(0))
  await expect.poll(() => failures).toEqual([expect.stringMatching(/\(tcp request\) was disconnected: .*\(TCP_MEMORY\)/)])
  const errors: (string | undefined)[] = []
  const third = ask((error) => errors.push(error?.message), Buffer.alloc(3 * MIB))
  await expect.poll(() => errors).toEqual([expect.stringMatching(/^the queue for 127\.0\.0\.1:\d+ was emptied: .*\(TCP_MEMORY\)/)])
  for (const requester of [first, second, third]) requester.stop('over')
  expect(budget.total).toBe(0)
})

test('requests whose connection is still being made count as well', async () => {
  const budget = new Budget(2 * MIB)
  // It takes connections, and never says a word of a handshake.
  await using device = await startListening({})
  const errors: (string | undefined)[] = []
  const ended: string[] = []
  const ask = (bytes: Buffer) => {
    const requester = new Requester<string>(
      {
        ...{ host: '127.0.0.1', port: device.port, tls: {}, end: { kind: 'count', bytes: 1 }, maxReply: 1e9, maxWaiting: 100 },
        ...{ writeLimit: LIMIT, patience: { timeoutMs: 0, othersWaitMs: 0 }, separate: false, budget },
      },
      {
        onReply() {},
        onFailure() {},
        onConnected() {},
        onEnded: (state) => void ended.push(state),
        onWaiting() {},
        onIdle() {},
      },
    )
    requester.send({ about: '', bytes, done: (error) => errors.push(error?.message) })
    return requester
  }
  const requesters = [ask(Buffer.alloc(MIB))]
  expect(budget.unsent).toBe(MIB)
  requesters.push(ask(Buffer.alloc(MIB / 2)), ask(Buffer.alloc(MIB)))
  expect(budget.total).toBeLessThanOrEqual(2 * MIB)
  expect(errors).toEqual([expect.stringMatching(/\(tcp request\) was disconnected: 1\.0 MiB that wait for it were held, .*\(TCP_MEMORY\)/)])
  expect(ended).toEqual(['failed'])
  requesters.push(ask(Buffer.alloc(3 * MIB)))
  expect(errors).toHaveLength(2)
  for (const requester of requesters) requester.stop('over')
  expect(budget.total).toBe(0)
  await expect.poll(() => device.listener.sessions.size).toBe(0)
})

test('a reply in single bytes is held in few pieces', () => {
  const replies: Payload[] = []
  const reader = createReplyReader(
    { end: { kind: 'count', bytes: 50_000 }, maxReply: 1e6 },
    { onReply: (reply) => replies.push(reply), onWhole() {} },
  )
  collect()
  const before = process.memoryUsage().heapUsed
  for (let count = 0; count < 49_999; count += 1) reader.push(Buffer.allocUnsafeSlow(1).fill('x'))
  collect()
  expect(process.memoryUsage().heapUsed - before).toBeLessThan(MIB)
  reader.push(Buffer.from('x'))
  expect(replies.map(String)).toEqual(['x'.repeat(50_000)])
})

test.each([
  ['10.1.2.3', '10.1.2.3'],
  ['2001:db8::1', '2001:db8:0:0::/64'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
  ['fe80::1:2:3:4', 'fe80:0:0:0::/64'],
  ['::1', '0:0:0:0::/64'],
])('%s counts for %s', (address, network) => {
  expect(networkOf(address)).toBe(network)
})

test.each([
  ['64m', { bytes: 64 * MIB }],
  ['1G', { bytes: 1024 * MIB }],
  ['2MiB', { bytes: 2 * MIB }],
  ['1048576', { bytes: MIB }],
  ['25%', { percent: 25 }],
  ['0', undefined],
  ['512k', undefined],
  ['100%', undefined],
  ['lots', undefined],
])('TCP_MEMORY=%s', (text, expected) => {
  expect(parseMemory(text)).toEqual(expected)
})

test('without a setting the limit is a share of the memory that there is', () => {
  expect(memoryLimit(undefined)).toBeGreaterThanOrEqual(16 * MIB)
  expect(memoryLimit(undefined)).toBeLessThanOrEqual(process.constrainedMemory() / 4)
  expect(memoryLimit('64m')).toBe(64 * MIB)
  expect(() => memoryLimit('lots')).toThrow('"lots" is not a size')
})
