import fc from 'fast-check'
import { expect, test } from 'vitest'
import { parseBytes, parseDelimiter } from '../../src/tcp/delimiter.ts'

test.each([
  ['\\n', 'utf8', '0a'],
  ['\\r\\n', 'utf8', '0d0a'],
  ['\\t\\0', 'utf8', '0900'],
  ['\r\n', 'utf8', '0d0a'],
  ['0x0D0A', 'utf8', '0d0a'],
  ['0XFF', 'gbk', 'ff'],
  ['0x0D0', 'utf8', '30783044 30'],
  ['\\x1b[', 'utf8', '1b5b'],
  ['\\xFF', 'utf8', 'ff'],
  ['a\\x81b\\r\\x82c', 'utf8', '6181620d8263'],
  ['\\\\n', 'utf8', '5c6e'],
  ['\\d', 'utf8', '5c64'],
  ['\\', 'utf8', '5c'],
  ['\\x4', 'utf8', '5c7834'],
  ['END', 'utf8', '454e44'],
  ['完', 'utf8', 'e5ae8c'],
  ['完', 'gbk', 'cdea'],
  ['\\n', 'utf-16le', '0a00'],
  ['\\n', 'utf-16be', '000a'],
  ['\\n', 'utf16', '0a00'],
  ['', 'utf8', ''],
])('delimiter %j in %s is %s', (text, encoding, hex) => {
  expect(parseDelimiter(text, encoding).toString('hex')).toBe(hex.replaceAll(' ', ''))
})

test('a delimiter that the encoding does not have is refused', () => {
  expect(() => parseDelimiter('→', 'latin1')).toThrow('delimiter "→" cannot be written in latin1: use bytes such as 0x0D0A')
})

test('any text without a backslash that is no hex number is its own delimiter', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), (text) => {
      fc.pre(!text.includes('\\') && !/^0x/i.test(text))
      expect(parseDelimiter(text, 'utf8')).toEqual(Buffer.from(text))
    }),
  )
})

test('any bytes can be written in each form', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1, maxLength: 8 }), (given) => {
      const bytes = Buffer.from(given)
      const hex = bytes.toString('hex')
      const pairs = hex.match(/../g)!
      for (const text of [`0x${hex}`, pairs.map((pair) => `\\x${pair}`).join('')]) {
        expect(parseDelimiter(text, 'gbk')).toEqual(bytes)
        expect(parseBytes(text)).toEqual(bytes)
      }
      for (const text of [pairs.join(' '), pairs.map((pair) => `0x${pair}`).join(' ')]) expect(parseBytes(text)).toEqual(bytes)
    }),
  )
})

test.each([
  ['0x02', '02'],
  ['0x0D0A', '0d0a'],
  ['0x0D 0A', '0d0a'],
  ['02', '02'],
  [' 02  03 ', '0203'],
  ['AA 55', 'aa55'],
  ['\\x02', '02'],
  ['\\x31234', '31323334'],
  ['\\r\\n', '0d0a'],
  ['$', '24'],
  [' ', '20'],
  ['<STX>', '3c5354583e'],
  ['始', 'e5a78b'],
])('bytes %j are %s', (text, hex) => {
  expect(parseBytes(text).toString('hex')).toBe(hex)
})

test.each([
  ['', 'no bytes given: write 0x0D0A, 0D 0A'],
  ['0x2', '"0x2" is not pairs of hex digits: write 0x0D0A, 0D 0A'],
  ['0xZZ', '"0xZZ" is not pairs of hex digits'],
  ['0D0A', '"0D0A" may be bytes or text: write 0x0D0A for bytes, \\x30D0A for text'],
  ['2', '"2" may be bytes or text: write 0x02 for bytes, \\x32 for text'],
  ['02 3', '"02 3" may be bytes or text: write 0x0023 for bytes'],
  ['\\x2', '"\\x2" has a backslash that escapes nothing: write 0x0D0A, 0D 0A, \\x0D\\x0A, or text with the escapes'],
  ['a\\', '"a\\" has a backslash that escapes nothing'],
])('bytes %j are refused with the fix', (text, message) => {
  expect(() => parseBytes(text)).toThrow(message)
})
