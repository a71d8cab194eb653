import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { appendChecksum, CHECKSUM_NAMES, CHECKSUMS, verifyChecksum } from '../../src/assistant/shared/checksum.ts'
import { escapeBytes, unescapeText } from '../../src/text/escapes.ts'
import { formatHex, parseHex } from '../../src/text/hex.ts'

const anyBytes = fc.uint8Array({ maxLength: 64 })
const CHECK = new TextEncoder().encode('123456789')

describe('HEX', () => {
  test.each([
    ['01 03 0A', [1, 3, 10]],
    ['01030a', [1, 3, 10]],
    ['0x01,0x03, 0x0A', [1, 3, 10]],
    ['0x010x03', [1, 3]],
    ['\\x01\\x03', [1, 3]],
    ['01:03-0a_ff;00', [1, 3, 10, 255, 0]],
    ['1 3 A', [1, 3, 10]],
    ['0102 03', [1, 2, 3]],
    [' \t\r\n', []],
    ['', []],
  ])('%j is read', (text, bytes) => {
    expect(parseHex(text)).toEqual({ bytes: Uint8Array.from(bytes) })
  })

  test.each([
    ['01 0G', 4, 'G'],
    ['zz', 0, 'z'],
    ['01 中', 3, '中'],
    ['01 😀', 3, '😀'],
    ['010', 2, '0'],
    ['01 0x', 3, '0x'],
  ])('%j is a mistake at %i', (text, at, piece) => {
    expect(parseHex(text)).toEqual({ error: { at, text: piece } })
  })

  test('what is formatted is read back', () => {
    fc.assert(
      fc.property(anyBytes, (bytes) => {
        expect(parseHex(formatHex(bytes))).toEqual({ bytes })
      }),
    )
  })

  test('any text is bytes, or a mistake that stands where it is said to', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...'0123abXx \\:g中') }), (text) => {
        const parsed = parseHex(text)
        if ('error' in parsed) expect(text.startsWith(parsed.error.text, parsed.error.at)).toBe(true)
      }),
    )
  })
})

describe('escapes', () => {
  test.each([
    ['a\\r\\n', 'a\r\n'],
    ['\\t\\0\\a\\b\\f\\v\\e\\\\', '\t\0\x07\b\f\v\x1b\\'],
    ['\\u4e2d\\u{1F600}', '中😀'],
    ['no escape', 'no escape'],
  ])('%j is read', (text, result) => {
    expect(unescapeText(text)).toEqual({ bytes: new TextEncoder().encode(result) })
  })

  test('\\x is a byte, not a character', () => {
    expect(unescapeText('\\xE9é')).toEqual({ bytes: Uint8Array.of(0xe9, 0xc3, 0xa9) })
  })

  test.each([
    ['a\\q', 1, '\\q'],
    ['a\\', 1, '\\'],
    ['\\x4', 0, '\\x4'],
    ['中\\xZZ', 1, '\\xZZ'],
    ['\\u12', 0, '\\u12'],
    ['\\u{110000}', 0, '\\u{110'],
    ['\\😀', 0, '\\😀'],
  ])('%j is a mistake at %i', (text, at, piece) => {
    expect(unescapeText(text)).toEqual({ error: { at, text: piece } })
  })

  test('bytes that are escaped are read back', () => {
    const bytes = fc.oneof(
      anyBytes,
      fc.string({ unit: 'binary' }).map((text) => new TextEncoder().encode(text)),
    )
    fc.assert(
      fc.property(bytes, (value) => {
        expect(unescapeText(escapeBytes(value))).toEqual({ bytes: value })
      }),
    )
  })

  test('escaped bytes have no control character', () => {
    fc.assert(
      fc.property(anyBytes, (bytes) => {
        expect(escapeBytes(bytes)).not.toMatch(/\p{Cc}/u)
      }),
    )
  })
})

describe('checksums', () => {
  // The check values of https://reveng.sourceforge.io/crc-catalogue/
  test.each([
    ['crc16-modbus', 0x4b37],
    ['crc16-ccitt', 0x29b1],
    ['crc32', 0xcbf43926],
    ['sum8', 0xdd],
    ['xor8', 0x31],
  ] as const)('%s of "123456789"', (name, value) => {
    expect(CHECKSUMS[name].compute(CHECK)).toBe(value)
  })

  test('a Modbus request ends with its CRC, low byte first', () => {
    const request = Uint8Array.of(0x01, 0x03, 0, 0, 0, 0x0a)
    expect(formatHex(appendChecksum(request, { name: 'crc16-modbus', order: 'little' }))).toBe('01 03 00 00 00 0A C5 CD')
  })

  test('is computed from the bytes that are named', () => {
    const sentence = new TextEncoder().encode('$GPGLL,5300.97914,N*')
    const xor = CHECKSUMS.xor8.compute(sentence.slice(1, -1))
    expect(appendChecksum(sentence, { name: 'xor8', order: 'big', from: 1, to: -1 }).at(-1)).toBe(xor)
  })

  test.each(CHECKSUM_NAMES)('%s: what was appended is right, and wrong with another bit', (name) => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 40 }), fc.constantFrom('big', 'little'), fc.nat(), (bytes, order, bit) => {
        const frame = appendChecksum(bytes, { name, order })
        expect(verifyChecksum(frame, { name, order })).toMatchObject({ ok: true })
        const at = bit % (frame.length * 8)
        frame[at >> 3]! ^= 1 << (at & 7)
        expect(verifyChecksum(frame, { name, order }).ok).toBe(false)
      }),
    )
  })

  test('a frame that is shorter than its checksum is wrong', () => {
    expect(verifyChecksum(Uint8Array.of(1), { name: 'crc32', order: 'big' })).toMatchObject({ ok: false, found: undefined })
  })
})
