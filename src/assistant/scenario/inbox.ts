import { decodeText, encodeText } from '../../tcp/encoding.ts'
import { concatBytes } from '../../text/escapes.ts'
import { indexOfBytes, indexOfPattern, parseHexPattern, textOf } from '../shared/pattern.ts'
import { parseRegex, REGEX_CHARACTERS } from '../shared/regex.ts'

export type Wanted = { by: 'text' | 'hex' | 'regex'; text: string }

const MAX_BYTES = 4 * 1024 * 1024

/** What was received and not expected yet. What is found is taken out, with all before it. */
export function createInbox(encoding: string) {
  let parts: Uint8Array[] = []
  let length = 0
  let lost = 0

  /** As one piece; put together only when somebody looks. */
  function whole(): Uint8Array {
    if (parts.length !== 1) parts = [concatBytes(parts)]
    return parts[0]!
  }

  return {
    /** Bytes that were too many to be kept: the oldest. */
    get lost() {
      return lost
    },
    get bytes() {
      return whole()
    },
    add(bytes: Uint8Array): void {
      parts.push(bytes)
      length += bytes.length
      if (length <= MAX_BYTES) return
      const kept = whole().slice(length - MAX_BYTES / 2)
      lost += length - kept.length
      parts = [kept]
      length = kept.length
    },
    /** Whether it is there; then it is taken. */
    take(wanted: Wanted): boolean {
      const end = endOf(whole(), wanted, encoding)
      if (end === -1) return false
      parts = [whole().subarray(end)]
      length -= end
      return true
    },
    clear(): void {
      parts = []
      length = 0
    },
  }
}

export type Inbox = ReturnType<typeof createInbox>

/** Where what is wanted ends in these bytes; -1 when it is not there. */
function endOf(bytes: Uint8Array, { by, text }: Wanted, encoding: string): number {
  if (by === 'regex') return endOfRegex(bytes, text, encoding)
  if (by === 'text') {
    const wanted = encodeText(text, encoding)
    const at = indexOfBytes(bytes, wanted)
    return at === -1 ? -1 : at + wanted.length
  }
  const pattern = parseHexPattern(text) ?? []
  const at = indexOfPattern(bytes, pattern)
  return at === -1 ? -1 : at + pattern.length
}

function endOfRegex(bytes: Uint8Array, source: string, encoding: string): number {
  const parsed = parseRegex(source)
  if ('reason' in parsed) return -1
  const seen = bytes.subarray(0, REGEX_CHARACTERS)
  const buffer = Buffer.from(seen.buffer, seen.byteOffset, seen.length)
  const text = decodeText(buffer, encoding)
  // Bytes that are no text in this encoding have no way back from characters: each is looked at as one then.
  const exact = encodeText(text, encoding).equals(buffer)
  const found = parsed.regex.find(exact ? text : textOf(seen, 'latin1'))
  if (found === undefined) return -1
  return exact ? encodeText(text.slice(0, found.end), encoding).length : found.end
}
