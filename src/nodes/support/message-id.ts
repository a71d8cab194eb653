import { randomBytes } from 'node:crypto'

const PREFIX_BYTES = 7
const SUFFIXES = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'))

let prefix = ''
let used = SUFFIXES.length

/** An id of Node-RED's form, 16 hex digits; as hard to meet twice, and many times as fast as drawing every digit. */
export function nextMessageId(): string {
  if (used === SUFFIXES.length) {
    prefix = randomBytes(PREFIX_BYTES).toString('hex')
    used = 0
  }
  return prefix + SUFFIXES[used++]!
}
