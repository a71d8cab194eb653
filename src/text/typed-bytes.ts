import { unescapeLoosely, hasStrayBackslash } from './escapes.ts'
import { parseHex } from './hex.ts'

const PREFIXED = /^0x(?:[0-9a-f]{2})+(?:\s+(?:0x)?(?:[0-9a-f]{2})+)*$/i
const PAIRS = /^[0-9a-f]{2}(?:\s+[0-9a-f]{2})*$/i
const DIGITS = /^[0-9a-f][0-9a-f\s]*$/i

/** `hex`: begins with 0x and is no pairs of digits. `ambiguous`: `0D0A` may be two bytes or four characters. `escape`: a backslash escapes nothing. */
export type BytesMistake = 'empty' | 'hex' | 'ambiguous' | 'escape'

/** Bytes that a person has written: `0x02`, `02 03`, `\x02`, or text, in UTF-8, with escapes. */
export function readTypedBytes(text: string): { bytes: Uint8Array } | { mistake: BytesMistake } {
  const digits = text.trim()
  if (text === '') return { mistake: 'empty' }
  if (PREFIXED.test(digits) || PAIRS.test(digits)) {
    const read = parseHex(digits)
    return 'bytes' in read ? read : { mistake: 'hex' }
  }
  if (/^0x/i.test(digits)) return { mistake: 'hex' }
  if (DIGITS.test(digits)) return { mistake: 'ambiguous' }
  return hasStrayBackslash(text) ? { mistake: 'escape' } : { bytes: unescapeLoosely(text) }
}
