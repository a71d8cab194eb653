// What is looked for in bytes: text, a regular expression or HEX; for searches, rules and what scenarios expect.
/** A HEX pattern: a byte, or undefined for any. */
export type HexPattern = readonly (number | undefined)[]

export const MAX_PATTERN_LENGTH = 4096
// With any bytes in between, each place may be compared up to the last byte.
const MAX_WITH_ANY = 128

/** `01 ?? 0A`; undefined when it is none, or too long. */
export function parseHexPattern(text: string): HexPattern | undefined {
  const digits = text.replace(/0x|\\x|[\s,;:_-]/gi, '')
  if (digits === '' || !/^(?:[0-9a-f]{2}|\?\?)+$/i.test(digits)) return undefined
  const pattern = Array.from(digits.matchAll(/../g), ([pair]) => (pair === '??' ? undefined : parseInt(pair, 16)))
  return pattern.length > (pattern.includes(undefined) ? MAX_WITH_ANY : MAX_PATTERN_LENGTH) ? undefined : pattern
}

/** Where a pattern is first found; -1 when it is not. */
export function indexOfPattern(bytes: Uint8Array, pattern: HexPattern): number {
  if (!pattern.includes(undefined)) return indexOfBytes(bytes, pattern as readonly number[])
  for (let at = 0; at + pattern.length <= bytes.length; at += 1) {
    let same = 0
    while (same < pattern.length && (pattern[same] === undefined || pattern[same] === bytes[at + same])) same += 1
    if (same === pattern.length) return at
  }
  return -1
}

/** Where bytes are first found, in time linear in both (Knuth, Morris, Pratt); -1 when they are not there, or none are wanted. */
export function indexOfBytes(bytes: Uint8Array, wanted: ArrayLike<number>): number {
  const { length } = wanted
  if (length === 0) return -1
  const first = bytes.indexOf(wanted[0]!)
  if (first === -1 || length === 1) return first
  // How much of what is wanted is still right when the byte behind so much of it is not.
  const rest = new Int32Array(length)
  for (let at = 1, same = 0; at < length; at += 1) {
    while (same > 0 && wanted[at] !== wanted[same]) same = rest[same - 1]!
    if (wanted[at] === wanted[same]) same += 1
    rest[at] = same
  }
  for (let at = first, same = 0; at < bytes.length; at += 1) {
    while (same > 0 && bytes[at] !== wanted[same]) same = rest[same - 1]!
    if (bytes[at] === wanted[same]) same += 1
    if (same === length) return at - length + 1
  }
  return -1
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
