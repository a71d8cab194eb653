import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createFramer } from '../../src/tcp/framing/create-framer.ts'
import { BadLengthError, FrameTooLongError, type Framer, type Framing } from '../../src/tcp/framing/framing.ts'
import { bytesOf, cuts, split } from './support/chunks.ts'
import { delimiter, feed, lengthField, marker, open, pull, tailOf } from './support/framers.ts'

const [A, B, C] = [0x61, 0x62, 0x63]

// What a kind makes of the letters a, b and c, and how many bytes of the input each frame stands for beyond its own; undefined where marks
// are shared.
const KINDS: { name: string; framing: Framing; extra: number | undefined; alphabet: number[] }[] = [
  { name: 'one-byte delimiter', framing: delimiter('a'), extra: 1, alphabet: [A, B, C] },
  { name: 'kept delimiter', framing: delimiter('ab', true), extra: 0, alphabet: [A, B, C] },
  { name: 'delimiter aab', framing: delimiter('aab'), extra: 3, alphabet: [A, B] },
  { name: 'delimiter aaa', framing: delimiter('aaa'), extra: 3, alphabet: [A, B] },
  { name: 'delimiter abacab', framing: delimiter('abacab', true), extra: 0, alphabet: [A, A, B, C] },
  { name: 'fixed 7', framing: { kind: 'fixed', length: 7 }, extra: 0, alphabet: [A, B] },
  { name: 'length of 1 byte', framing: lengthField(), extra: 1, alphabet: [0, 1, 2, 9] },
  { name: 'length with header', framing: lengthField({ offset: 2, keepHeader: true }), extra: 0, alphabet: [0, 1, 2, 9] },
  { name: 'length of 2 bytes, little', framing: lengthField({ size: 2, endian: 'little', adjust: 1 }), extra: 2, alphabet: [0, 0, 1, 5] },
  { name: 'length of 4 bytes', framing: lengthField({ size: 4, offset: 1 }), extra: 5, alphabet: [0, 0, 0, 0, 3] },
  { name: 'marks a and b', framing: marker('a', 'b'), extra: 2, alphabet: [A, B, C] },
  { name: 'marks aab and ba', framing: marker('aab', 'ba'), extra: 5, alphabet: [A, B] },
  { name: 'marks and check bytes', framing: marker('a', 'bb', { trailer: 2 }), extra: 3, alphabet: [A, B, C] },
  { name: 'kept marks and a check byte', framing: marker('aa', 'b', { keep: true, trailer: 1 }), extra: 0, alphabet: [A, A, B] },
  { name: 'equal marks', framing: marker('a', 'a'), extra: undefined, alphabet: [A, B, C] },
  { name: 'equal marks, kept', framing: marker('aa', 'aa', { keep: true }), extra: undefined, alphabet: [A, A, B] },
  {
    name: 'length behind start bytes',
    framing: lengthField({ offset: 2, keepHeader: true, start: Buffer.from([1, 2]) }),
    extra: 0,
    alphabet: [1, 1, 2, 2, 0, 9],
  },
  { name: 'single', framing: { kind: 'single' }, extra: 0, alphabet: [A, B] },
]

describe.each(KINDS)('$name', ({ framing, extra, alphabet }) => {
  const input = bytesOf(alphabet)

  test('gives the same frames and tail for any chunks', () => {
    fc.assert(
      fc.property(input, cuts, (bytes, places) => {
        const [whole, inParts] = [open(framing, 1e9), open(framing, 1e9)]
        expect(feed(inParts, split(bytes, places))).toEqual(feed(whole, [bytes]))
        expect(inParts.skipped).toBe(whole.skipped)
        expect(inParts.size).toBe(whole.size)
        expect(tailOf(inParts)).toEqual(tailOf(whole))
      }),
    )
  })

  test('gives the same frames when all chunks come before the first is pulled', () => {
    fc.assert(
      fc.property(input, cuts, (bytes, places) => {
        const [whole, inParts] = [open(framing, 1e9), open(framing, 1e9)]
        for (const chunk of split(bytes, places)) inParts.push(chunk)
        expect(pull(inParts)).toEqual(feed(whole, [bytes]))
      }),
    )
  })

  test('accounts for every byte', () => {
    if (extra === undefined) return expect(framing).toMatchObject({ kind: 'marker' })
    fc.assert(
      fc.property(input, cuts, (bytes, places) => {
        const framer = open(framing, 1e9)
        let emitted = 0
        let pushed = 0
        for (const chunk of split(bytes, places)) {
          for (const frame of feed(framer, [chunk])) emitted += frame.length + extra
          pushed += chunk.length
          expect(emitted + framer.size + framer.skipped).toBe(pushed)
        }
        const tail = framer.flush()?.bytes.length ?? 0
        expect(emitted + tail + framer.skipped).toBe(bytes.length)
        expect(framer.size).toBe(0)
      }),
    )
  })

  test('lets another framer go on with what it releases', () => {
    fc.assert(
      fc.property(input, cuts, fc.nat(200), (bytes, places, change) => {
        const [whole, first, second] = [open(framing, 1e9), open(framing, 1e9), open(framing, 1e9)]
        const frames = feed(first, split(bytes.subarray(0, change), places))
        const released = first.release()
        expect([first.size, first.next(), first.flush()]).toEqual([0, undefined, undefined])
        frames.push(...feed(second, [released, ...split(bytes.subarray(change), places)]))
        expect(frames).toEqual(feed(whole, [bytes]))
        expect(first.skipped + second.skipped).toBe(whole.skipped)
        expect(tailOf(second)).toEqual(tailOf(whole))
      }),
    )
  })

  test('begins anew after a release', () => {
    fc.assert(
      fc.property(input, input, (before, bytes) => {
        const [used, fresh] = [open(framing, 1e9), open(framing, 1e9)]
        feed(used, [before])
        used.release()
        expect(feed(used, [bytes])).toEqual(feed(fresh, [bytes]))
      }),
    )
  })

  test('refuses the same frames for any chunks', () => {
    const outcome = (framer: Framer, chunks: Buffer[]) => {
      const frames: string[] = []
      try {
        feed(framer, chunks, frames)
        return { frames }
      } catch (error) {
        return { frames, error: (error as Error).message }
      }
    }
    fc.assert(
      fc.property(input, cuts, fc.nat(8), (bytes, places, maxFrame) => {
        expect(outcome(open(framing, maxFrame), split(bytes, places))).toEqual(outcome(open(framing, maxFrame), [bytes]))
      }),
    )
  })
})

test.each(['a', 'ab', 'aab', 'aaa', 'abacab'])('bytes in any chunks are cut at %s as String.split would', (text) => {
  fc.assert(
    fc.property(bytesOf([A, A, B, C]), cuts, (bytes, places) => {
      const framer = open(delimiter(text), 1e9)
      const frames = feed(framer, split(bytes, places))
      expect([...frames, tailOf(framer)?.text ?? '']).toEqual(bytes.toString().split(text))
    }),
  )
})

test('small chunks, some of which are put together, and large ones stay in order', () => {
  const size = fc.constantFrom(1, 7, 500, 3000, 5000)
  fc.assert(
    fc.property(fc.array(fc.record({ size, lines: fc.boolean() }), { maxLength: 60, size: 'max' }), (pieces) => {
      const chunks = pieces.map(({ size, lines }, index) => Buffer.alloc(size, lines ? `${index}\n` : String(index)))
      const [single, atLines] = [open({ kind: 'single' }, 1e9), open(delimiter('\n'), 1e9)]
      for (const chunk of chunks) single.push(chunk)
      const text = Buffer.concat(chunks).toString()
      expect(tailOf(single)?.text ?? '').toBe(text)
      expect([...feed(atLines, chunks), tailOf(atLines)?.text ?? '']).toEqual(text.split('\n'))
    }),
  )
})

test.each<[string, Framing, string[], string[], { text: string; complete: boolean } | undefined]>([
  ['lines', delimiter('\n'), ['a\n\nb\n'], ['a', '', 'b'], undefined],
  ['lines with their ends', delimiter('\r\n', true), ['a\r', '\n\r\nb'], ['a\r\n', '\r\n'], { text: 'b', complete: true }],
  ['a delimiter that begins twice', delimiter('aab'), ['xa', 'a', 'aby'], ['xa'], { text: 'y', complete: true }],
  ['a delimiter cut in many', delimiter('\r\n\r\n'), ['x\r', '\n', '\r', '\n\r\n'], ['x'], { text: '\r\n', complete: true }],
  ['fixed frames', { kind: 'fixed', length: 3 }, ['ab', 'cdefg'], ['abc', 'def'], { text: 'g', complete: false }],
  ['a length field', lengthField(), ['\x02ab\x00', '\x01', 'c\x05de'], ['ab', '', 'c'], { text: '\x05de', complete: false }],
  [
    'a kept header',
    lengthField({ offset: 1, size: 2, keepHeader: true }),
    ['#\x00', '\x02ab#'],
    ['#\x00\x02ab'],
    { text: '#', complete: false },
  ],
  ['a length that counts itself', lengthField({ adjust: -1 }), ['\x03ab\x01'], ['ab', ''], undefined],
  ['a little-endian length', lengthField({ size: 4, endian: 'little' }), ['\x01\x00\x00\x00a'], ['a'], undefined],
  ['marks', marker('\x02', '\x03'), ['noise\x02a\x03noise\x02\x02b\x03'], ['a', '\x02b'], undefined],
  ['kept marks', marker('<<', '>>', { keep: true }), ['.<', '<a>', '>.<<b'], ['<<a>>'], { text: '<<b', complete: false }],
  ['marks without a frame', marker('<<', '>>'), ['noise<'], [], undefined],
  ['equal marks', marker('~', '~'), ['~a~~b~'], ['a', 'b'], undefined],
  ['equal marks in the middle of a frame', marker('~', '~'), ['xy~~aa~~bb~'], ['aa', 'bb'], undefined],
  ['one mark between two frames', marker('~', '~'), ['~aa~bb', '~', '~', '~cc'], ['aa', 'bb'], { text: '~cc', complete: false }],
  ['shared marks that are kept', marker('~', '~', { keep: true }), ['~aa~bb~'], ['~aa~', '~bb~'], undefined],
  ['a check byte that is a mark', marker('<', '>', { trailer: 1 }), ['<a>', '<<b>>'], ['a<', 'b>'], undefined],
  [
    'check bytes',
    marker('/', '!', { keep: true, trailer: 6 }),
    ['/a\r\n!1F', '0C\r\n/b'],
    ['/a\r\n!1F0C\r\n'],
    { text: '/b', complete: false },
  ],
  ['check bytes that do not come', marker('<', '>', { trailer: 2 }), ['<a>x'], [], { text: '<a>x', complete: false }],
  ['chunks', { kind: 'stream' }, ['ab', '', 'c'], ['ab', 'c'], undefined],
  ['all until the end', { kind: 'single' }, ['ab', 'c'], [], { text: 'abc', complete: true }],
])('cuts %s', (_name, framing, chunks, frames, tail) => {
  const framer = open(framing)
  expect(feed(framer, chunks)).toEqual(frames)
  expect(tailOf(framer)).toEqual(tail)
})

test.each<[string, Framing, string, string]>([
  ['delimiter', delimiter('\r\n'), 'abcd\r\n', 'abcde\r\n'],
  ['kept delimiter', delimiter('\r\n', true), 'abcd\r\n', 'abcde\r\n'],
  ['delimiter that is missing', delimiter('\r\n'), 'abcd\r', 'abcdef'],
  ['length', lengthField(), '\x04abcd', '\x05'],
  ['length with header', lengthField({ keepHeader: true }), '\x03abc', '\x04'],
  ['marker', marker('<', '>'), '<abcd>', '<abcde>'],
  ['marker without end', marker('<', '>'), '<abcd', '<abcde'],
  ['single', { kind: 'single' }, 'abcd', 'abcde'],
  ['gap', { kind: 'gap', ms: 60_000 }, 'abcd', 'abcde'],
])('%s takes a frame of the limit and refuses a longer one', (_name, framing, right, tooLong) => {
  expect(() => feed(open(framing, 4), [right])).not.toThrow()
  const framer = open(framing, 4)
  expect(() => feed(framer, [tooLong])).toThrow(/^a frame is longer than the limit of 4 bytes/)
  expect(framer.release().toString('latin1')).toBe(tooLong)
})

test('noise between marks has no limit and takes no memory', () => {
  const framer = open(marker('<<', '>>'), 4)
  for (let count = 0; count < 1000; count += 1) feed(framer, [Buffer.alloc(1000, '.')])
  expect(framer.size).toBe(1)
  expect(framer.skipped).toBe(999_999)
})

// What devices send that speak so: flags between frames, one or several, and noise before the first.
test('frames between equal marks are found wherever the first is', () => {
  const flag = fc.constantFrom('~', '~~', '~~~')
  const content = fc.string({ unit: fc.constantFrom('a', 'b'), minLength: 1, maxLength: 5 })
  fc.assert(
    fc.property(fc.array(fc.tuple(flag, content), { maxLength: 20 }), fc.constantFrom('', 'x', 'yx'), cuts, (pieces, noise, places) => {
      const framer = open(marker('~', '~'))
      const bytes = Buffer.from(`${noise}${pieces.flat().join('')}~`)
      expect(feed(framer, split(bytes, places))).toEqual(pieces.map(([, text]) => text))
      expect(framer.flush()).toBeUndefined()
    }),
  )
})

test.each(['\x01\x02~~\xaa\xbb~~\xcc\xdd~', '~\xaa\xbb~\xcc\xdd~'])('%j has the frames AA BB and CC DD', (text) => {
  expect(feed(open(marker('~', '~')), [Buffer.from(text, 'latin1')])).toEqual(['\xaa\xbb', '\xcc\xdd'])
})

test('a frame that keeps its marks shares no memory with the next', () => {
  const framer = open(marker('~', '~', { keep: true }))
  framer.push(Buffer.from('~a~b~'))
  framer.next()!.fill(0)
  expect(String(framer.next())).toBe('~b~')
})

describe('a length field behind start bytes', () => {
  const framing = lengthField({ offset: 2, keepHeader: true, start: Buffer.from('#!') })

  function feedAll(chunks: string[], maxFrame = 100) {
    const told: string[] = []
    const framer = createFramer({ framing, maxFrame, onReady() {}, onOutOfStep: (why) => void told.push(why) })
    const frames: string[] = []
    for (const chunk of chunks) feed(framer, [Buffer.from(chunk, 'latin1')], frames)
    return { frames, told, skipped: framer.skipped }
  }

  test('is out of step at once where other bytes stand, once, and finds back', () => {
    expect(feedAll(['#!\x01a', 'x'])).toEqual({
      frames: ['#!\x01a'],
      told: ['a frame begins with 23 21, but 78 was read'],
      skipped: 0,
    })
    expect(feedAll(['noise#', '!\x02ab', '#!\x01c'])).toEqual({
      frames: ['#!\x02ab', '#!\x01c'],
      told: ['a frame begins with 23 21, but 6E 6F 69 73 65 23 was read'],
      skipped: 5,
    })
  })

  test('is out of step where its length cannot be', () => {
    expect(feedAll(['#!\xff', '#!\x01a'], 10)).toEqual({
      frames: ['#!\x01a'],
      told: ['a frame is longer than the limit of 10 bytes: its length field says 255 (read: 23 21 FF)'],
      skipped: 3,
    })
  })

  test('waits for start bytes that have begun', () => {
    expect(feedAll(['#'])).toEqual({ frames: [], told: [], skipped: 0 })
    expect(feedAll(['#', '!\x00'])).toEqual({ frames: ['#!\x00'], told: [], skipped: 0 })
  })
})

test('a length below nothing is an error that names what was read', () => {
  const error = new BadLengthError(2, { length: -1, header: '02' })
  expect(() => feed(open(lengthField({ adjust: -3 })), ['\x02'])).toThrow(error)
  expect(error).toMatchObject({ value: 2, message: 'a length field of 2 makes a frame body of -1 bytes (read: 02)' })
  const tooLong = 'a frame is longer than the limit of 1024 bytes: its length field says 1213486160 (read: 48 54 54 50)'
  expect(() => feed(open(lengthField({ size: 4 })), ['HTTP/1.1'])).toThrow(tooLong)
})

test('a four-byte length of the highest value is refused, not negative', () => {
  expect(() =>
    feed(
      open(lengthField({ size: 4 })),
      ['\xff\xff\xff\xff'].map((text) => Buffer.from(text, 'latin1')),
    ),
  ).toThrow(FrameTooLongError)
})

test.each<[string, Framing]>([
  ['empty delimiter', delimiter('')],
  ['empty mark', marker('', 'b')],
  ['end with check bytes that is a start as well', marker('a', 'a', { trailer: 1 })],
  ['overlap of start bytes and length field', lengthField({ offset: 1, start: Buffer.from('ab') })],
  ['frame length of 0', { kind: 'fixed', length: 0 }],
])('an %s is refused', (_name, framing) => {
  expect(() => open(framing)).toThrow(RangeError)
})
