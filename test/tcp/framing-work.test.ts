import { expect, onTestFinished, test, vi } from 'vitest'
import { createFramer } from '../../src/tcp/framing/create-framer.ts'
import type { Framing } from '../../src/tcp/framing/framing.ts'
import { delimiter, lengthField, marker, open } from './support/framers.ts'

const TOTAL = 32 * 1024 * 1024

/** Watches how Buffers are searched and copied, which they are as ever. */
function watchWork() {
  const searches = vi.spyOn(Buffer.prototype, 'indexOf')
  const copies = vi.spyOn(Buffer.prototype, 'copy')
  const concats = vi.spyOn(Buffer, 'concat')
  onTestFinished(() => void vi.restoreAllMocks())
  return {
    searched: () =>
      sum(
        searches.mock.calls.map(([, from], call) => {
          const at = searches.mock.results[call]!.value as number
          return (at < 0 ? (searches.mock.contexts[call] as Buffer).length : at + 1) - Number(from ?? 0)
        }),
      ),
    copied: () =>
      sum(copies.mock.contexts.map((chunk) => (chunk as Buffer).length)) +
      sum(concats.mock.results.map(({ value }) => (value as Buffer).length)),
    piecesOfLastConcat: () => concats.mock.calls.at(-1)![0].length,
    stop: () => vi.restoreAllMocks(),
  }
}

function sum(numbers: number[]): number {
  return numbers.reduce((total, number) => total + number, 0)
}

test.each<[string, Framing, { before: string; after: string }]>([
  ['delimiter of one byte', delimiter('\n'), { before: '', after: '\n' }],
  ['delimiter of four bytes', delimiter('\r\n\r\n'), { before: '', after: '\r\n\r\n' }],
  ['marks', marker('<<', '>>'), { before: '<<', after: '>>' }],
  ['fixed length', { kind: 'fixed', length: TOTAL }, { before: '', after: '' }],
  ['length field', lengthField({ size: 4 }), { before: '\x02\x00\x00\x00', after: '' }],
])('a frame of 32 MiB by %s is searched once and copied at most twice', (_name, framing, { before, after }) => {
  for (const chunkSize of [1024, 64 * 1024]) {
    const work = watchWork()
    const framer = open(framing, TOTAL)
    const chunk = Buffer.alloc(chunkSize, 'x')
    const lengths: number[] = []
    const push = (bytes: Buffer) => {
      framer.push(bytes)
      for (let frame = framer.next(); frame !== undefined; frame = framer.next()) lengths.push(frame.length)
    }
    push(Buffer.from(before, 'latin1'))
    for (let pushed = 0; pushed < TOTAL; pushed += chunkSize) push(chunk)
    push(Buffer.from(after, 'latin1'))
    expect(lengths).toEqual([TOTAL])
    expect(work.searched()).toBeLessThan(1.1 * TOTAL)
    expect(work.copied()).toBeLessThanOrEqual(2.01 * TOTAL)
    work.stop()
  }
})

test('many lines in one chunk are searched once and not copied', () => {
  const work = watchWork()
  const framer = open(delimiter('\r\n'))
  const chunk = Buffer.from('0123456789\r\n'.repeat(100_000))
  framer.push(chunk)
  let frames = 0
  for (let frame = framer.next(); frame !== undefined; frame = framer.next()) {
    if (frame.buffer === chunk.buffer) frames += 1
  }
  expect(frames).toBe(100_000)
  expect(work.searched()).toBeLessThanOrEqual(chunk.length)
  expect(work.copied()).toBe(0)
})

test('bytes that come one by one are held in few pieces', () => {
  const work = watchWork()
  const framer = open({ kind: 'single' }, TOTAL)
  for (let count = 0; count < 256 * 1024; count += 1) framer.push(Buffer.from('x'))
  expect(framer.flush()?.bytes.length).toBe(256 * 1024)
  expect(work.piecesOfLastConcat()).toBeLessThan(64)
  expect(work.copied()).toBeLessThanOrEqual(2 * 256 * 1024)
})

test('start bytes with lengths that cannot be, over and over, are told of once and take little time', () => {
  const messages: string[] = []
  const framing = lengthField({ offset: 1, size: 2, keepHeader: true, start: Buffer.from([0xaa]) })
  const framer = createFramer({ framing, maxFrame: 1000, onReady() {}, onOutOfStep: (why) => void messages.push(why) })
  // Of this thread alone: the machine may have other work.
  const before = process.threadCpuUsage()
  framer.push(Buffer.alloc(256 * 1024, 0xaa))
  expect(framer.next()).toBeUndefined()
  // A message for each takes three times as long at least.
  const { user, system } = process.threadCpuUsage(before)
  expect((user + system) / 1_000).toBeLessThan(1_500)
  expect(messages).toHaveLength(1)
})
