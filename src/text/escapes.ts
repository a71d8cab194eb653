import type { TextMistake } from './hex.ts'

const SIMPLE: Record<string, number> = { n: 0x0a, r: 0x0d, t: 0x09, '0': 0x00, a: 0x07, b: 0x08, f: 0x0c, v: 0x0b, e: 0x1b, '\\': 0x5c }
const LOOSE_ESCAPE = /\\(?:x([0-9a-fA-F]{2})|([nrt0\\]))/g
const HEX_PAIR = /^[0-9a-fA-F]{2}$/
const FOUR_DIGITS = /^[0-9a-fA-F]{4}$/
const BRACED = /^\{([0-9a-fA-F]{1,6})\}/
const HIGHEST_CODE_POINT = 0x10ffff
const MAX_ESCAPE_LENGTH = 10

/** A piece of what was typed: text, still to be encoded, or bytes that an escape named. */
export type Piece = string | Uint8Array

/**
 * Text with escapes, in pieces: `\n \r \t \0 \a \b \f \v \e \\` and `\xHH` are bytes whatever the encoding; `\uHHHH` and `\u{H…}` are
 * characters. A backslash before anything else is an error, so that a mistyped escape is never sent as text.
 */
export function readEscapes(text: string): { pieces: Piece[] } | { error: TextMistake } {
  const pieces: Piece[] = []
  let literal = ''
  let at = 0
  while (at < text.length) {
    const next = text.indexOf('\\', at)
    literal += text.slice(at, next === -1 ? undefined : next)
    if (next === -1) break
    const escape = readEscape(text, next)
    if (escape === undefined) return { error: { at: next, text: text.slice(next, next + mistakeLength(text, next)) } }
    if (typeof escape.value === 'string') literal += escape.value
    else {
      if (literal !== '') pieces.push(literal)
      pieces.push(Uint8Array.of(escape.value))
      literal = ''
    }
    at = next + escape.length
  }
  if (literal !== '') pieces.push(literal)
  return { pieces }
}

/** Text with escapes as bytes, its characters in UTF-8. */
export function unescapeText(text: string): { bytes: Uint8Array } | { error: TextMistake } {
  const read = readEscapes(text)
  return 'error' in read ? read : { bytes: joinPieces(read.pieces, encodeUtf8) }
}

/**
 * Text with the escapes that Node-RED's fields have, `\n \r \t \0 \\` and `\xHH` for a byte, as bytes; all else by `encode`. A backslash
 * before anything else is one.
 */
export function unescapeLoosely(text: string, encode: (literal: string) => Uint8Array = encodeUtf8): Uint8Array {
  const parts: Uint8Array[] = []
  let literal = ''
  let end = 0
  for (const match of text.matchAll(LOOSE_ESCAPE)) {
    const [escape, hex, name = ''] = match
    literal += text.slice(end, match.index) + (name === '' ? '' : String.fromCharCode(SIMPLE[name]!))
    end = match.index + escape.length
    if (hex === undefined) continue
    parts.push(encode(literal), Uint8Array.of(parseInt(hex, 16)))
    literal = ''
  }
  parts.push(encode(literal + text.slice(end)))
  return concatBytes(parts)
}

/** Whether a backslash escapes nothing, as far as `unescapeLoosely` goes. */
export function hasStrayBackslash(text: string): boolean {
  return text.replace(LOOSE_ESCAPE, '').includes('\\')
}

/** Bytes as text that `unescapeText` reads back: whatever is not printable UTF-8 is escaped. */
export function escapeBytes(bytes: Uint8Array): string {
  const text = new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes)
  // What is not UTF-8 decodes to U+FFFD, which a peer may have sent itself: only the way back tells.
  if (!sameBytes(encodeUtf8(text), bytes)) return Array.from(bytes, escapeByte).join('')
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\\]/gu, (character) => Array.from(encodeUtf8(character), escapeByte).join(''))
}

/** Pieces as bytes, text by `encode`. */
export function joinPieces(pieces: readonly Piece[], encode: (text: string) => Uint8Array): Uint8Array {
  return concatBytes(pieces.map((piece) => (typeof piece === 'string' ? encode(piece) : piece)))
}

export function encodeUtf8(text: string): Uint8Array {
  return new TextEncoder().encode(text)
}

export function concatBytes(parts: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((length, part) => length + part.length, 0))
  let at = 0
  for (const part of parts) {
    all.set(part, at)
    at += part.length
  }
  return all
}

export function sameBytes(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && one.every((byte, index) => byte === other[index])
}

function readEscape(text: string, at: number): { value: string | number; length: number } | undefined {
  const name = text[at + 1] ?? ''
  if (Object.hasOwn(SIMPLE, name)) return { value: SIMPLE[name]!, length: 2 }
  const rest = text.slice(at + 2, at + MAX_ESCAPE_LENGTH)
  if (name === 'x' && HEX_PAIR.test(rest.slice(0, 2))) return { value: parseInt(rest.slice(0, 2), 16), length: 4 }
  if (name !== 'u') return undefined
  if (FOUR_DIGITS.test(rest.slice(0, 4))) return { value: String.fromCharCode(parseInt(rest.slice(0, 4), 16)), length: 6 }
  const digits = BRACED.exec(rest)?.[1]
  const code = digits === undefined ? NaN : parseInt(digits, 16)
  return code <= HIGHEST_CODE_POINT ? { value: String.fromCodePoint(code), length: 4 + digits!.length } : undefined
}

/** `\q`, or of `\x` and `\u` what follows up to where digits were expected. */
function mistakeLength(text: string, at: number): number {
  const name = text[at + 1]
  return name === 'x' ? 4 : name === 'u' ? 6 : 1 + (text.codePointAt(at + 1) === undefined ? 0 : characterLength(text, at + 1))
}

function characterLength(text: string, at: number): number {
  return text.codePointAt(at)! > 0xffff ? 2 : 1
}

function escapeByte(byte: number): string {
  const name = Object.entries(SIMPLE).find(([, code]) => code === byte)?.[0]
  // `\0` before a digit would read as something longer elsewhere.
  if (name !== undefined && name !== '0') return `\\${name}`
  return byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : `\\x${byte.toString(16).toUpperCase().padStart(2, '0')}`
}
