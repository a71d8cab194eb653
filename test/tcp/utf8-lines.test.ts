import fc from 'fast-check'
import { expect, test } from 'vitest'
import { FrameTooLongError } from '../../src/tcp/framing/framing.ts'
import { createIntake } from '../../src/tcp/intake/create-intake.ts'
import type { Intake, IntakeOptions, Payload } from '../../src/tcp/intake/intake.ts'
import { bytesOf, cuts, split } from './support/chunks.ts'

const MIB = 1024 * 1024
// Lines that are decoded while they come, and short ones.
const REPEATS = 20_000
const VALID = Buffer.from('aé中😀\r')
const WRONG = Buffer.from([0xff, 0xe4, 0xb8, 0xf0, 0x9f])

/** Some short lines and one or two of up to a few hundred kilobytes; in some a byte is no UTF-8. */
const input = fc
  .array(fc.tuple(bytesOf([...VALID, ...WRONG], 12), fc.constantFrom(VALID, Buffer.from('x')), fc.constantFrom(1, 3, REPEATS)), {
    minLength: 1,
    maxLength: 4,
  })
  .map((lines) =>
    Buffer.concat(lines.flatMap(([start, unit, times]) => [start, ...Array.from({ length: times }, () => unit), start, NEWLINE])),
  )
const NEWLINE = Buffer.from('\r\n')
// Enough for what differs: the chunks and what is wrong where.
const RUNS = { numRuns: 40 }

function open(options: Partial<IntakeOptions> & { keep?: boolean } = {}): Intake {
  const framing = { kind: 'delimiter', delimiter: NEWLINE, keep: options.keep ?? false } as const
  return createIntake({ framing, dataType: 'text', encoding: 'utf8', maxFrame: 16 * MIB, ...options }, () => {})
}

function pull(intake: Intake): Payload[] {
  const payloads: Payload[] = []
  for (let payload = intake.next(); payload !== undefined; payload = intake.next()) payloads.push(payload)
  return payloads
}

function feed(intake: Intake, chunks: Buffer[]): Payload[] {
  return chunks.flatMap((chunk) => {
    intake.push(chunk)
    return pull(intake)
  })
}

/** Comparing strings of a megabyte by expect() costs more than all the rest. */
function areSame(actual: Payload[], expected: string[]): boolean {
  return actual.length === expected.length && actual.every((payload, index) => payload === expected[index])
}

function linesOf(bytes: Buffer): string[] {
  const lines: string[] = []
  let from = 0
  for (let at = bytes.indexOf(NEWLINE); at >= 0; at = bytes.indexOf(NEWLINE, from)) {
    lines.push(bytes.toString('utf8', from, at))
    from = at + NEWLINE.length
  }
  return [...lines, bytes.toString('utf8', from)]
}

const fewCuts = cuts.filter((places) => places !== 'between all')

test('long and short lines in any chunks give the text that Buffer.toString gives, wrong bytes included', () => {
  fc.assert(
    fc.property(input, fewCuts, bytesOf([...VALID], 20), (bytes, places, tail) => {
      const intake = open()
      const payloads = feed(intake, split(Buffer.concat([bytes, tail]), places))
      const rest = intake.flush()
      expect(areSame([...payloads, rest?.payload ?? ''], linesOf(Buffer.concat([bytes, tail])))).toBe(true)
      expect([rest?.complete, intake.size, intake.flush()]).toEqual([rest && true, 0, undefined])
    }),
    RUNS,
  )
})

test('what is held in the middle of a line comes out byte by byte, for bytes that are wrong too', () => {
  fc.assert(
    fc.property(input, fewCuts, fc.nat(1000), (bytes, places, change) => {
      const place = Math.round((change / 1000) * bytes.length)
      const intake = open({ keep: true })
      const payloads = feed(intake, split(bytes.subarray(0, place), places))
      const taken = linesOf(bytes).slice(0, payloads.length)
      expect(
        areSame(
          payloads,
          taken.map((line) => `${line}\r\n`),
        ),
      ).toBe(true)
      const { size } = intake
      const released = intake.release()
      expect([size, intake.size]).toEqual([released.length, 0])
      expect(
        bytes
          .subarray(0, place)
          .subarray(-size || place)
          .equals(released),
      ).toBe(true)
      expect(
        areSame(
          feed(open({ keep: true }), [released, bytes.subarray(place)]),
          linesOf(bytes)
            .slice(payloads.length, -1)
            .map((line) => `${line}\r\n`),
        ),
      ).toBe(true)
    }),
    RUNS,
  )
})

test('a long line of the limit is taken, a longer one refused before its end', () => {
  const chunk = Buffer.alloc(100_000, 'x')
  const right = open({ maxFrame: 300_000 })
  expect(areSame(feed(right, [chunk, chunk, chunk, NEWLINE]), ['x'.repeat(300_000)])).toBe(true)
  expect(feed(right, [Buffer.from('next\r\n')])).toEqual(['next'])
  const long = open({ maxFrame: 300_000 })
  expect(() => feed(long, [chunk, chunk, chunk, Buffer.from('xx')])).toThrow(new FrameTooLongError(300_000))
})

test('a long line in small chunks takes time linear in its length', () => {
  const intake = open()
  const chunk = Buffer.alloc(64, 'x')
  const chunks = (8 * MIB) / chunk.length
  for (let count = 0; count < chunks; count += 1) feed(intake, [chunk])
  expect(feed(intake, [NEWLINE])[0]).toHaveLength(8 * MIB)
})
