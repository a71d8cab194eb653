// What is looked for in bytes: text, a regular expression or HEX; for searches, rules and what scenarios expect.
import { sameBytes } from './escapes.ts'

/** A HEX pattern: a byte, or undefined for any. */
export type HexPattern = readonly (number | undefined)[]

/** Regular expressions may take time that grows fast with the text: they see no more than this. */
export const REGEX_CHARACTERS = 65_536
export const LONGEST_PATTERN = 4096

/** `01 ?? 0A`; undefined when it is none. */
export function parseHexPattern(text: string): HexPattern | undefined {
  const digits = text.replace(/0x|\\x|[\s,;:_-]/gi, '')
  if (digits === '' || !/^(?:[0-9a-f]{2}|\?\?)+$/i.test(digits)) return undefined
  return Array.from(digits.matchAll(/../g), ([pair]) => (pair === '??' ? undefined : parseInt(pair, 16)))
}

/** Where a pattern is first found at or behind `from`; -1 when it is not. */
export function indexOfPattern(bytes: Uint8Array, pattern: HexPattern, from = 0): number {
  for (let at = from; at + pattern.length <= bytes.length; at += 1) {
    if (pattern.every((byte, index) => byte === undefined || byte === bytes[at + index])) return at
  }
  return -1
}

export function indexOfBytes(bytes: Uint8Array, wanted: Uint8Array, from = 0): number {
  if (wanted.length === 0) return -1
  for (let at = bytes.indexOf(wanted[0]!, from); at !== -1 && at + wanted.length <= bytes.length; at = bytes.indexOf(wanted[0]!, at + 1)) {
    if (sameBytes(bytes.subarray(at, at + wanted.length), wanted)) return at
  }
  return -1
}

/** A regular expression from `pattern`, or from `/pattern/flags`. */
export function parseRegex(text: string, defaultFlags = 'su'): { regex: RegExp } | { reason: string } {
  if (text.length > LONGEST_PATTERN) return { reason: `it is longer than ${LONGEST_PATTERN} characters` }
  const [, source = text, flags = defaultFlags] = /^\/(.+)\/([imsu]*)$/s.exec(text) ?? []
  try {
    return { regex: new RegExp(source, flags) }
  } catch (error) {
    return { reason: (error as Error).message }
  }
}

/** Bytes as text for patterns: by a name that TextDecoder knows, else UTF-8. `latin1` is one character for each byte. */
export function textOf(bytes: Uint8Array, encoding = 'utf8'): string {
  if (encoding === 'latin1' || encoding === 'binary') return latin1(bytes)
  return decoderOf(encoding).decode(bytes)
}

// The browser's and Node.js's: one is a type and a value, the other a value alone.
type Decoder = InstanceType<typeof TextDecoder>

const decoders = new Map<string, Decoder>()

function decoderOf(encoding: string): Decoder {
  let decoder = decoders.get(encoding)
  if (decoder === undefined) decoders.set(encoding, (decoder = createDecoder(encoding)))
  return decoder
}

function createDecoder(encoding: string): Decoder {
  try {
    return new TextDecoder(encoding, { ignoreBOM: true })
  } catch {
    return new TextDecoder('utf-8', { ignoreBOM: true })
  }
}

// TextDecoder takes latin1 for windows-1252, where 0x80 is the euro sign.
function latin1(bytes: Uint8Array): string {
  const STEP = 8192
  let text = ''
  for (let at = 0; at < bytes.length; at += STEP) text += String.fromCharCode(...bytes.subarray(at, at + STEP))
  return text
}
