import fc from 'fast-check'
import iconv from 'iconv-lite'
import { describe, expect, test } from 'vitest'
import { createDecoder, decodeText, encodeText, isKnownEncoding, isSelfSynchronizing } from '../../src/tcp/encoding.ts'
import { bytesOf, cuts, split } from './support/chunks.ts'

const CHINESE = 'a中文字，。測試電腦資料1\r\n\\|'
const graphemes = fc.string({ unit: 'grapheme', maxLength: 60, size: 'max' })

function textOf(unit: fc.Arbitrary<string>): fc.Arbitrary<string> {
  return fc.string({ unit, maxLength: 60, size: 'max' })
}

const TEXTS: [string, fc.Arbitrary<string>][] = [
  ['utf8', graphemes],
  ['utf-16le', graphemes],
  ['utf-16be', graphemes],
  ['utf16', graphemes],
  ['utf32', graphemes],
  ['gb18030', textOf(fc.constantFrom(...CHINESE, '€', 'ü', '𠀀', '😀', 'ㅎ'))],
  ['gbk', textOf(fc.constantFrom(...CHINESE))],
  ['big5', textOf(fc.constantFrom(...'a中文字，。測試電腦資料功許蓋1\r\n\\|'))],
  ['shift_jis', textOf(fc.constantFrom(...'aソ表能日本語ｱ\n\\|'))],
  ['euc-kr', textOf(fc.constantFrom(...'a한국어\n'))],
  ['latin1', textOf(fc.nat(0xff).map((code) => String.fromCharCode(code)))],
  ['ascii', textOf(fc.nat(0x7f).map((code) => String.fromCharCode(code)))],
  ['windows-1251', textOf(fc.constantFrom(...'aЖдё€\n'))],
]

const anyBytes = fc.oneof(
  bytesOf([0x41, 0x80, 0xbf, 0xc0, 0xc2, 0xe0, 0xe4, 0xa0, 0xbd, 0xed, 0xf0, 0x90, 0xf4, 0xf5, 0xff], 40),
  bytesOf([0x0a, 0x30, 0x39, 0x5c, 0x81, 0x8e, 0x8f, 0x84, 0xa1, 0xa4, 0xd8, 0xdc, 0xfe, 0xff, 0x00], 40),
  fc.uint8Array({ maxLength: 40, size: 'max' }).map((bytes) => Buffer.from(bytes)),
)

function decodeParts(parts: Buffer[], encoding: string): string {
  const decoder = createDecoder(encoding)
  return parts.map((part) => decoder.write(part)).join('') + decoder.end()
}

/** The names of all encodings that iconv-lite has, one for each, without aliases. */
function everyEncoding(): string[] {
  iconv.encodingExists('utf8')
  return Object.entries(iconv.encodings ?? {})
    .filter(([name, definition]) => typeof definition !== 'string' && isKnownEncoding(name))
    .map(([name]) => name)
}

describe.each(TEXTS)('%s', (encoding, texts) => {
  test('gives the same text for any chunks', () => {
    fc.assert(
      fc.property(texts, cuts, (text, places) => {
        const bytes = encodeText(text, encoding)
        expect(decodeText(bytes, encoding)).toBe(text)
        expect(decodeParts(split(bytes, places), encoding)).toBe(text)
      }),
    )
  })

  test('gives only whole characters, and the bytes of an incomplete one to another decoder', () => {
    fc.assert(
      fc.property(texts, fc.nat(100), (text, place) => {
        const bytes = encodeText(text, encoding)
        const [first, second] = [createDecoder(encoding), createDecoder(encoding)]
        const begun = first.write(bytes.subarray(0, place))
        expect(begun.isWellFormed()).toBe(true)
        expect(encodeText(begun, encoding).length + first.pending().length).toBe(Math.min(place, bytes.length))
        expect(begun + second.write(Buffer.concat([first.pending(), bytes.subarray(place)])) + second.end()).toBe(text)
      }),
    )
  })
})

test('UTF-8 that is wrong, in any chunks, gives what Buffer.toString gives', () => {
  fc.assert(
    fc.property(anyBytes, cuts, (bytes, places) => {
      expect(decodeParts(split(bytes, places), 'utf8')).toBe(bytes.toString('utf8'))
    }),
    { numRuns: 1000 },
  )
})

test('any bytes in any chunks give the same text in every encoding that is known', () => {
  const encodings = everyEncoding()
  expect(encodings.length).toBeGreaterThan(90)
  fc.assert(
    fc.property(anyBytes, cuts, (bytes, places) => {
      for (const encoding of encodings)
        expect([encoding, decodeParts(split(bytes, places), encoding)]).toEqual([encoding, decodeText(bytes, encoding)])
    }),
    { numRuns: 50 },
  )
})

test('multi-byte text that is wrong gives what iconv-lite gives', () => {
  fc.assert(
    fc.property(anyBytes, (bytes) => {
      for (const encoding of ['gbk', 'gb18030', 'big5', 'shift_jis', 'euc-jp', 'euc-kr', 'cp1252', 'ascii']) {
        expect(decodeText(bytes, encoding)).toBe(iconv.decode(bytes, encoding))
      }
    }),
  )
})

test.each([
  ['utf8', 'e4b8', 'e4b8', '\uFFFD'],
  ['gbk', '61d6', 'd6', '\uFFFD'],
  ['gb18030', '8130', '8130', '\uFFFD0'],
  ['utf-16le', '610062', '62', '\uFFFD'],
  ['utf-16be', 'd83d', 'd83d', '\uD83D'],
  ['utf16', '61', '61', '\uFFFD'],
  ['utf16', 'feffd83d', 'd83d', '\uD83D'],
  ['utf32', '6100000062', '62', '\uFFFD'],
  ['latin1', 'e4', '', ''],
])('%s that ends in the middle of a character (%s) holds %s and ends in %j', (encoding, hex, pending, end) => {
  const decoder = createDecoder(encoding)
  decoder.write(Buffer.from(hex, 'hex'))
  expect(decoder.pending().toString('hex')).toBe(pending)
  expect(decoder.end()).toBe(end)
  expect(decoder.pending().length).toBe(0)
  expect(decoder.end()).toBe('')
})

test.each([
  ['utf8', 'efbbbf61'],
  ['utf-16le', 'fffe6100'],
  ['utf-16be', 'feff0061'],
  ['utf16', 'fffe6100'],
  ['utf16', 'feff0061'],
  ['utf32', 'fffe000061000000'],
  ['utf32', '0000feff00000061'],
  ['gb18030', '8431953361'],
])('%s keeps the BOM of %s', (encoding, hex) => {
  const bytes = Buffer.from(hex, 'hex')
  expect(decodeText(bytes, encoding)).toBe('\uFEFFa')
  expect(
    decodeParts(
      [...bytes].map((byte) => Buffer.from([byte])),
      encoding,
    ),
  ).toBe('\uFEFFa')
})

test('UTF-16 without a BOM is little-endian, and gives its first character at once', () => {
  expect(createDecoder('utf16').write(Buffer.from('a', 'utf16le'))).toBe('a')
  expect(encodeText('a', 'utf16')).toEqual(Buffer.from('a', 'utf16le'))
})

test.each([
  ['utf8', true],
  ['UTF-8', true],
  ['gbk', true],
  ['GB18030', true],
  ['big5', true],
  ['utf-16le', true],
  ['utf16', true],
  ['Shift_JIS', true],
  ['win1251', true],
  ['base64', false],
  ['hex', false],
  ['utf-7', false],
  ['', false],
  ['constructor', false],
  ['klingon', false],
])('%j is known: %s', (name, known) => {
  expect(isKnownEncoding(name)).toBe(known)
  if (known) return
  const message = `encoding "${name}" is not known: use utf8, gbk, latin1 or another of iconv-lite's`
  expect(() => createDecoder(name)).toThrow(message)
  expect(() => encodeText('a', name)).toThrow(message)
  expect(() => isSelfSynchronizing(name)).toThrow(message)
})

test.each([
  ...['utf8', 'latin1', 'ascii', 'windows-1250', 'windows-1252', 'iso-8859-2', 'iso-8859-15', 'koi8-r', 'cp437', 'binary'].map(
    (name) => [name, true] as const,
  ),
  ...['gbk', 'gb2312', 'gb18030', 'big5', 'shift_jis', 'euc-kr', 'utf-16le', 'utf-16be', 'utf16', 'utf32'].map(
    (name) => [name, false] as const,
  ),
])('delimiters can be searched in the bytes of %s: %s', (encoding, result) => {
  expect(isSelfSynchronizing(encoding)).toBe(result)
})

test('what an encoding does not have becomes a question mark', () => {
  expect(encodeText('中ä', 'latin1')).toEqual(Buffer.from('?ä', 'latin1'))
})
