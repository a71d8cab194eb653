import { setImmediate as nextTurn } from 'node:timers/promises'
import { expect, test } from 'vitest'
import type { Payload } from '../../src/tcp/intake/intake.ts'
import { PAYLOADS_A_TURN } from '../../src/tcp/turns.ts'
import { LINES, startListening } from './support/listening.ts'

const LINES_SENT = 20_000
const text = Array.from({ length: LINES_SENT }, (_, index) => `${index}\n`).join('')
const expected = text.split('\n').slice(0, -1)

/** A listener for lines that counts how many come in one turn of the event loop. */
async function startCounting() {
  const lines: Payload[] = []
  let inTurn = 0
  let most = 0
  const listening = await startListening({
    intake: LINES,
    onPayload(_session, payload) {
      lines.push(payload)
      if (inTurn++ === 0) void nextTurn().then(() => (inTurn = 0))
      most = Math.max(most, inTurn)
    },
  })
  return { listening, lines, most: () => most }
}

test('many small frames leave time for others, and all come in order', async () => {
  const { listening, lines, most } = await startCounting()
  await using _listening = listening
  const peer = await listening.connect()
  peer.write(text)
  await expect.poll(() => lines.length).toBe(LINES_SENT)
  expect(lines).toEqual(expected)
  // One turn's last and the next one's first may fall between two looks.
  expect(most()).toBeLessThanOrEqual(2 * PAYLOADS_A_TURN)
})

test.each(['end', 'resetAndDestroy'] as const)('frames that wait for their turn come before the %s of their connection', async (how) => {
  const { listening, lines } = await startCounting()
  await using _listening = listening
  const seenAtEnd: number[] = []
  const { gone } = listening
  const peer = await listening.connect()
  const sent = how === 'end' ? expected : expected.slice(0, 4_000)
  await new Promise<void>((resolve) => peer.write(`${sent.join('\n')}\n`, () => resolve()))
  if (how === 'resetAndDestroy') await expect.poll(() => lines.length).toBeGreaterThan(0)
  peer[how]()
  await expect.poll(() => gone.length).toBe(1)
  seenAtEnd.push(lines.length)
  if (how === 'end') expect(lines).toEqual(sent)
  // A reset takes away what the kernel holds; what was read is there, and nothing comes after the end.
  else expect(lines).toEqual(sent.slice(0, lines.length))
  await nextTurn()
  expect(seenAtEnd).toEqual([lines.length])
})

test('peers share a turn', async () => {
  const { listening, lines, most } = await startCounting()
  await using _listening = listening
  const peers = await Promise.all(Array.from({ length: 8 }, () => listening.connect()))
  for (const peer of peers) peer.write(text)
  await expect.poll(() => lines.length, { timeout: 10_000 }).toBe(8 * LINES_SENT)
  // Each passes its first chunk's share on at once.
  expect(most()).toBeLessThanOrEqual((peers.length + 1) * PAYLOADS_A_TURN)
})
