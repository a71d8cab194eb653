// Node-RED unpacks the bodies that it parses. What is in them is looked at before, away from the event loop.
import type { IncomingHttpHeaders } from 'node:http'
import { gunzip, inflate } from 'node:zlib'

// What Node-RED takes at most of a body that it unpacks, unless apiMaxLength says otherwise.
export const MAX_UNPACKED = 5 * 1024 * 1024
const UNPACKED_TYPES = /^\s*application\/(?:json|x-www-form-urlencoded)\s*(?:;|$)/i
const UNPACKERS = new Map([
  ['gzip', gunzip],
  ['deflate', inflate],
])

type Unpack = (packed: Buffer, done: (unpacked: Buffer | undefined) => void) => void

/** How a body is unpacked; undefined where Node-RED leaves it as it is. Nothing is given of what cannot be unpacked or is too long. */
export function unpackerOf(headers: IncomingHttpHeaders): Unpack | undefined {
  const unpack = UNPACKERS.get((headers['content-encoding'] ?? '').toLowerCase())
  if (!unpack || !UNPACKED_TYPES.test(headers['content-type'] ?? '')) return undefined
  return (packed, done) => unpack(packed, { maxOutputLength: MAX_UNPACKED }, (error, unpacked) => done(error ? undefined : unpacked))
}
