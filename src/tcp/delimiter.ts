import { unescapeLoosely } from '../text/escapes.ts'
import { readTypedBytes } from '../text/typed-bytes.ts'
import { decodeText, encodeText, type TextEncoding } from './encoding.ts'

const HEX_NUMBER = /^0x(?:[0-9a-f]{2})+$/i
const BYTE_FORMS = '0x0D0A, 0D 0A, \\x0D\\x0A, or text with the escapes \\n \\r \\t \\0 \\xHH \\\\'

/**
 * The bytes of a delimiter: `0x0D0A`, or text with the escapes `\n \r \t \0 \\` and `\xHH` for a byte, whatever the encoding. A backslash
 * before anything else is one, as in Node-RED. Empty for an empty text.
 */
export function parseDelimiter(text: string, encoding: TextEncoding): Buffer {
  if (HEX_NUMBER.test(text)) return Buffer.from(text.slice(2), 'hex')
  const bytes = unescapeLoosely(text, (literal) => {
    const bytes = encodeText(literal, encoding)
    if (decodeText(bytes, encoding) === literal) return bytes
    throw new Error(`delimiter ${JSON.stringify(text)} cannot be written in ${encoding}: use bytes such as 0x0D0A`)
  })
  return asBuffer(bytes)
}

/**
 * Bytes that a person has written: `0x02`, `02 03`, `\x02`, or text, in UTF-8, with escapes.
 * @throws Error that says how they are written
 */
export function parseBytes(text: string): Buffer {
  const read = readTypedBytes(text)
  if ('bytes' in read) return asBuffer(read.bytes)
  const digits = text.trim()
  switch (read.mistake) {
    case 'empty':
      throw new Error(`no bytes given: write ${BYTE_FORMS}`)
    case 'hex':
      throw new Error(`"${text}" is not pairs of hex digits: write ${BYTE_FORMS}`)
    case 'ambiguous':
      throw new Error(`"${text}" may be bytes or text: write 0x${evenDigits(digits)} for bytes, ${escapeFirst(digits)} for text`)
    case 'escape':
      throw new Error(`"${text}" has a backslash that escapes nothing: write ${BYTE_FORMS}`)
  }
}

function asBuffer({ buffer, byteOffset, length }: Uint8Array): Buffer {
  return Buffer.from(buffer, byteOffset, length)
}

function evenDigits(digits: string): string {
  const all = digits.replace(/\s+/g, '')
  return all.length % 2 === 0 ? all : `0${all}`
}

function escapeFirst(text: string): string {
  return `\\x${text.charCodeAt(0).toString(16)}${text.slice(1)}`
}
