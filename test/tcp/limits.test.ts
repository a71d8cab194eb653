import { once } from 'node:events'
import type { Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { expect, test } from 'vitest'
import { parseAddressList } from '../../src/tcp/access-list.ts'
import type { Session } from '../../src/tcp/session.ts'
import { createAuthority } from '../../src/testing/certificates.ts'
import { LINES, startListening, type Listening } from './support/listening.ts'

const MIB = 1024 * 1024
const LIMIT = { bytes: 64 * MIB, disconnect: true }
const { issue } = createAuthority()
const tls = issue('limits.test')

async function shakeHands({ port }: Listening): Promise<boolean> {
  const socket = connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false })
  socket.on('error', () => {})
  const closed = new Promise<false>((resolve) => socket.once('close', () => resolve(false)))
  return await Promise.race([new Promise<true>((resolve) => socket.once('secureConnect', () => resolve(true))), closed])
}

/** Connections that are open at the listener, sessions or not. */
async function countOpen({ connections }: { connections: Promise<{ destroyed: boolean }[]> }): Promise<number> {
  return (await connections).filter(({ destroyed }) => !destroyed).length
}

test('TLS clients that come at the same time are no more than may', async () => {
  await using listening = await startListening({ tls, settings: { maxConnections: 3 } })
  const got = await Promise.all(Array.from({ length: 20 }, () => shakeHands(listening)))
  expect([got.filter((isIn) => isIn).length, listening.listener.sessions.size]).toEqual([3, 3])
  expect(listening.listener.refused).toBe(17)
})

test.each([
  ['TLS without a handshake', { tls }, {}],
  ['a relay without a PROXY header', {}, { proxyTrusted: parseAddressList('127.0.0.1') }],
])('connections of %s are no more than may', async (_name, given, settings) => {
  await using listening = await startListening({ ...given, settings: { maxConnections: 3, ...settings } })
  const connections = Promise.all(Array.from({ length: 20 }, () => listening.connect()))
  for (const socket of await connections) socket.resume()
  await expect.poll(() => countOpen({ connections })).toBe(3)
  expect(listening.listener.refused).toBe(17)
})

test('a place is free again when a handshake fails', async () => {
  await using listening = await startListening({ tls, settings: { maxConnections: 1 } })
  const garbage = await listening.connect()
  garbage.write('this is no TLS\n')
  await once(garbage.resume(), 'close')
  expect(await shakeHands(listening)).toBe(true)
})

/** A peer sends all and ends its side; the next one, which is given back, is heard as well. */
async function endAndFollow(listening: Listening): Promise<Socket> {
  const first = await listening.connect({ allowHalfOpen: true })
  first.end('all')
  await expect.poll(() => listening.payloads.length).toBe(1)
  const second = await listening.connect()
  second.write('next')
  await expect.poll(() => listening.payloads.length).toBe(2)
  return second
}

test('a peer that has ended makes room at once for the next', async () => {
  await using listening = await startListening({ lingerMs: 10_000, settings: { maxConnections: 1 } })
  await endAndFollow(listening)
  expect(listening.listener.sessions.size).toBe(2)
})

test('peers that have ended and do not read their replies are no more than may', async () => {
  const reply = (session: Session) => session.write(Buffer.alloc(16 * MIB), { limit: LIMIT, done() {} })
  await using listening = await startListening({ lingerMs: 20, onPayload: reply, settings: { maxConnections: 2 } })
  for (let count = 0; count < 8; count += 1) {
    const peer = await listening.connect({ allowHalfOpen: true })
    peer.pause()
    peer.end('question')
    await expect.poll(() => listening.listener.sessions.size).toBeLessThanOrEqual(2)
  }
  await expect.poll(() => listening.gone.filter((cause) => cause?.message.includes('its place is needed')).length).toBeGreaterThan(0)
})

test('a peer that has ended, and goes since its place is needed, leaves nothing behind', async () => {
  await using listening = await startListening({ lingerMs: 500, settings: { maxConnections: 1 } })
  const second = await endAndFollow(listening)
  await expect.poll(() => listening.listener.sessions.size).toBe(1)
  second.destroy()
  await expect.poll(() => listening.listener.sessions.size).toBe(0)
  const third = await listening.connect()
  third.write('last')
  await expect.poll(() => listening.payloads.length).toBe(3)
})

test('a peer that is not read is not silent', async () => {
  const sessions: Session[] = []
  const lines: unknown[] = []
  await using listening = await startListening({
    intake: LINES,
    settings: { idleMs: 100 },
    onPayload(session, payload) {
      sessions.push(session)
      lines.push(payload)
      session.pause('busy')
    },
  })
  const peer = await listening.connect()
  peer.write('1\n2\n')
  await expect.poll(() => lines).toEqual(['1'])
  // Three times the limit.
  await new Promise((resolve) => setTimeout(resolve, 300))
  sessions[0]!.resume('busy')
  expect([lines, listening.gone]).toEqual([['1', '2'], []])
  sessions[0]!.resume('busy')
  await expect.poll(() => listening.gone.map((cause) => cause?.message)).toEqual([expect.stringContaining('has sent nothing for 100 ms')])
})
