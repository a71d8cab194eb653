import { decodeText, encodeText, type TextEncoding } from './encoding.ts'

const HEX_NUMBER = /^0x(?:[0-9a-f]{2})+$/i
const ESCAPE = /\\(?:x([0-9a-fA-F]{2})|([nrt0\\]))/g
const ESCAPED: Record<string, string> = { n: '\n', r: '\r', t: '\t', '0': '\0', '\\': '\\' }
const BYTE_FORMS = '0x0D0A, 0D 0A, \\x0D\\x0A, or text with the escapes \\n \\r \\t \\0 \\xHH \\\\'

/**
 * The bytes of a delimiter: `0x0D0A`, or text with the escapes `\n \r \t \0 \\` and `\xHH` for a byte, whatever the encoding. A backslash
 * before anything else is one, as in Node-RED. Empty for an empty text.
 */
export function parseDelimiter(text: string, encoding: TextEncoding): Buffer {
  if (HEX_NUMBER.test(text)) return Buffer.from(text.slice(2), 'hex')
  return unescape(text, (literal) => {
    const bytes = encodeText(literal, encoding)
    if (decodeText(bytes, encoding) === literal) return bytes
    throw new Error(`delimiter ${JSON.stringify(text)} cannot be written in ${encoding}: use bytes such as 0x0D0A`)
  })
}

/** Bytes that a person has written: `0x02`, `02 03`, `\x02`, or text, in UTF-8, with escapes. */
export function parseBytes(text: string): Buffer {
  const digits = text.trim()
  if (text === '') throw new Error(`no bytes given: write ${BYTE_FORMS}`)
  if (/^0x(?:[0-9a-f]{2})+(?:\s+(?:0x)?(?:[0-9a-f]{2})+)*$/i.test(digits)) return Buffer.from(digits.replace(/0x|\s+/gi, ''), 'hex')
  if (/^[0-9a-f]{2}(?:\s+[0-9a-f]{2})*$/i.test(digits)) return Buffer.from(digits.replace(/\s+/g, ''), 'hex')
  if (/^0x/i.test(digits)) throw new Error(`"${text}" is not pairs of hex digits: write ${BYTE_FORMS}`)
  // Somebody who writes 0D0A means two bytes or four characters; nobody can tell.
  if (/^[0-9a-f][0-9a-f\s]*$/i.test(digits)) {
    throw new Error(`"${text}" may be bytes or text: write 0x${evenDigits(digits)} for bytes, ${escapeFirst(digits)} for text`)
  }
  if (text.replace(ESCAPE, '').includes('\\')) throw new Error(`"${text}" has a backslash that escapes nothing: write ${BYTE_FORMS}`)
  return unescape(text, (literal) => Buffer.from(literal, 'utf8'))
}

function unescape(text: string, encode: (literal: string) => Buffer): Buffer {
  const parts: Buffer[] = []
  let literal = ''
  let end = 0
  for (const match of text.matchAll(ESCAPE)) {
    const [escape, hex, name = ''] = match
    literal += text.slice(end, match.index) + (ESCAPED[name] ?? '')
    end = match.index + escape.length
    if (hex === undefined) continue
    parts.push(encode(literal), Buffer.from(hex, 'hex'))
    literal = ''
  }
  parts.push(encode(literal + text.slice(end)))
  return Buffer.concat(parts)
}

function evenDigits(digits: string): string {
  const all = digits.replace(/\s+/g, '')
  return all.length % 2 === 0 ? all : `0${all}`
}

function escapeFirst(text: string): string {
  return `\\x${text.charCodeAt(0).toString(16)}${text.slice(1)}`
}
