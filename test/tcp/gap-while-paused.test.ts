import { setTimeout as delay } from 'node:timers/promises'
import { expect, test } from 'vitest'
import type { IntakeOptions } from '../../src/tcp/intake/intake.ts'
import { startListening } from './support/listening.ts'

const MIB = 1024 * 1024
const GAP: IntakeOptions = { framing: { kind: 'gap', ms: 20 }, dataType: 'text', encoding: 'utf8', maxFrame: 16 * MIB }
// Far longer than the gap.
const PAUSE_MS = 200

test.each(['busy', 'deploy', 'orphan'] as const)('frames that come apart while reading is paused (%s) stay apart', async (reason) => {
  await using listening = await startListening({ intake: GAP })
  const client = await listening.connect()
  await expect.poll(() => listening.listener.sessions.size).toBe(1)
  const [session] = listening.listener.sessions
  client.write('first')
  await expect.poll(() => listening.payloads).toEqual(['first'])
  session!.pause(reason)
  for (const text of ['AAAA', 'BBBB', 'CCCC']) {
    client.write(text)
    await delay(PAUSE_MS)
  }
  expect(listening.payloads).toEqual(['first'])
  session!.resume(reason)
  await expect.poll(() => listening.payloads).toEqual(['first', 'AAAA', 'BBBB', 'CCCC'])
})

test('bytes that arrive while reading is paused are read up to a limit, which is reported', async () => {
  const told: string[] = []
  await using listening = await startListening({ intake: GAP, onOutOfStep: (_session, { message }) => void told.push(message) })
  const client = await listening.connect()
  await expect.poll(() => listening.listener.sessions.size).toBe(1)
  const [session] = listening.listener.sessions
  session!.pause('busy')
  client.write(Buffer.alloc(8 * MIB, 'x'))
  await expect
    .poll(() => told.join())
    .toMatch(/bytes wait for the flow, so reading has stopped: frames that come meanwhile may become one$/)
  expect(session!.heldBytes).toBeLessThan(2 * MIB)
  session!.resume('busy')
  await expect.poll(() => listening.payloads.join('').length, { timeout: 30_000 }).toBe(8 * MIB)
  expect(told).toHaveLength(1)
})
