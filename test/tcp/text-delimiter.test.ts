import fc from 'fast-check'
import { expect, test } from 'vitest'
import { FrameTooLongError } from '../../src/tcp/framing/framing.ts'
import { createTextDelimiterFramer, type TextDelimiterFramer } from '../../src/tcp/framing/text-delimiter.ts'
import { cuts, splitText } from './support/chunks.ts'

const DELIMITERS = ['a', 'ab', 'aab', 'aaa', '中a']
const input = fc.string({ unit: fc.constantFrom('a', 'b', '中'), maxLength: 200, size: 'max' })

function open(delimiter: string, keep = false, maxFrame = 1e9): TextDelimiterFramer {
  return createTextDelimiterFramer({ delimiter, keep, maxFrame })
}

function feed(framer: TextDelimiterFramer, pieces: string[]): string[] {
  return pieces.flatMap((piece) => {
    framer.push(piece)
    const frames: string[] = []
    for (let frame = framer.next(); frame !== undefined; frame = framer.next()) frames.push(frame)
    return frames
  })
}

test.each(DELIMITERS)('text in any pieces is cut at %j as String.split would', (delimiter) => {
  fc.assert(
    fc.property(input, cuts, (text, places) => {
      const framer = open(delimiter)
      const frames = feed(framer, splitText(text, places))
      const tail = framer.flush()
      expect([...frames, tail?.text ?? '']).toEqual(text.split(delimiter))
      expect(tail?.complete).toBe(tail && true)
    }),
  )
})

test.each(DELIMITERS)('frames that keep %j, what is held and what is released are all of the text', (delimiter) => {
  fc.assert(
    fc.property(input, cuts, (text, places) => {
      const framer = open(delimiter, true)
      const emitted = feed(framer, splitText(text, places)).join('')
      expect(framer.size).toBe(text.length - emitted.length)
      expect(emitted + framer.release()).toBe(text)
      expect([framer.size, framer.next(), framer.flush()]).toEqual([0, undefined, undefined])
    }),
  )
})

test('another framer goes on with what is released', () => {
  fc.assert(
    fc.property(input, cuts, fc.nat(200), (text, places, change) => {
      const [whole, first, second] = [open('aab'), open('aab'), open('aab')]
      const frames = feed(first, splitText(text.slice(0, change), places))
      frames.push(...feed(second, [first.release(), text.slice(change)]))
      expect(frames).toEqual(feed(whole, [text]))
    }),
  )
})

test.each([
  ['abcd\r\n', 'abcde\r\n'],
  ['abcd\r', 'abcdef'],
])('a frame of the limit is taken, a longer one refused: %j, %j', (right, tooLong) => {
  expect(() => feed(open('\r\n', true, 4), [right])).not.toThrow()
  for (const pieces of [[tooLong], [...tooLong]]) {
    const framer = open('\r\n', true, 4)
    expect(() => feed(framer, pieces)).toThrow(new FrameTooLongError(4))
  }
})

test('a frame that is refused is not lost', () => {
  const framer = open('\n', false, 4)
  expect(() => feed(framer, ['ab', 'cdef\ng'])).toThrow(FrameTooLongError)
  expect(framer.release()).toBe('abcdef\ng')
})

test('a long line in single characters is put together', () => {
  const framer = open('\n')
  for (let count = 0; count < 100_000; count += 1) feed(framer, ['x'])
  expect(feed(framer, ['\n'])).toEqual(['x'.repeat(100_000)])
})
