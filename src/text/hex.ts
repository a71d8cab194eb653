/** Where the input is wrong, and the piece that is. `at` counts UTF-16 units, as a text field's selection does. */
export type TextMistake = { at: number; text: string }
export type Parsed = { bytes: Uint8Array } | { error: TextMistake }

const SEPARATOR = /[\s,;:_-]/
const DIGIT = /[0-9a-fA-F]/
const PAIRS = Array.from({ length: 256 }, (_, byte) => byte.toString(16).toUpperCase().padStart(2, '0'))
const SPACE = 0x20
const DIGIT_CODES = new TextEncoder().encode('0123456789ABCDEF')
const ASCII = new TextDecoder()
const BYTES_A_LINE = 16
const CHARACTERS_AT_ONCE = 16 * 1024
const PREFIX = /^(?:0x|\\x)$/i

/**
 * Bytes in any of the forms that people paste: `01 03 0A`, `01030a`, `0x01, 0x03`, `\x01\x03`, `01:03:0a`. Digits that stand together are pairs; one that
 * stands alone between separators is a byte of its own, such as `1 3 A`.
 */
export function parseHex(text: string): Parsed {
  const bytes: number[] = []
  let at = 0
  while (at < text.length) {
    if (SEPARATOR.test(text[at]!)) {
      at += 1
      continue
    }
    const prefix = text.slice(at, at + 2)
    if (PREFIX.test(prefix)) {
      if (!DIGIT.test(text[at + 2] ?? '')) return { error: { at, text: prefix } }
      at += 2
    }
    const end = endOfDigits(text, at)
    if (end === at) return { error: { at, text: characterAt(text, at) } }
    const digits = text.slice(at, end)
    if (digits.length > 1 && digits.length % 2 === 1) return { error: { at: end - 1, text: digits.slice(-1) } }
    for (let pair = 0; pair < digits.length; pair += 2) bytes.push(parseInt(digits.slice(pair, pair + 2), 16))
    at = end
  }
  return { bytes: Uint8Array.from(bytes) }
}

/** `01 03 0A` */
export function formatHex(bytes: Uint8Array): string {
  // Joining strings takes hundreds of milliseconds for a megabyte, so the characters are written in place.
  const characters = new Uint8Array(Math.max(0, bytes.length * 3 - 1)).fill(SPACE)
  for (let at = 0; at < bytes.length; at += 1) {
    characters[at * 3] = DIGIT_CODES[bytes[at]! >> 4]!
    characters[at * 3 + 1] = DIGIT_CODES[bytes[at]! & 15]!
  }
  return ASCII.decode(characters)
}

/** `0A` */
export function hexPair(byte: number): string {
  return PAIRS[byte]!
}

/** `00000000  68 65 6C 6C 6F …  |hello|`, a line for each sixteen bytes; many lines in one piece */
export function* dumpLines(bytes: Uint8Array): Generator<string> {
  let lines = ''
  for (let offset = 0; offset < bytes.length; offset += BYTES_A_LINE) {
    let hex = ''
    let ascii = ''
    for (let at = offset; at < offset + BYTES_A_LINE; at += 1) {
      const byte = bytes[at]
      hex += `${at === offset ? '' : at === offset + BYTES_A_LINE / 2 ? '  ' : ' '}${byte === undefined ? '  ' : hexPair(byte)}`
      if (byte !== undefined) ascii += byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '.'
    }
    lines += `${offset.toString(16).toUpperCase().padStart(8, '0')}  ${hex}  |${ascii}|\n`
    if (lines.length < CHARACTERS_AT_ONCE) continue
    yield lines
    lines = ''
  }
  yield lines
}

/** Up to where digits belong together: the `0` of a `0x` that follows them does not. */
function endOfDigits(text: string, from: number): number {
  let end = from
  while (DIGIT.test(text[end] ?? '') && !/^0x/i.test(text.slice(end, end + 2))) end += 1
  return end
}

function characterAt(text: string, at: number): string {
  return String.fromCodePoint(text.codePointAt(at)!)
}
