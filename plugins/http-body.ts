// What the body of a request makes the process hold. Compressed, a few kilobytes become megabytes, and JSON becomes objects.
import type { IncomingMessage } from 'node:http'
import { createPartCounter } from './http-parts.ts'
import { takeTurn } from './http-turns.ts'

// What Node-RED takes at most of a body that it unpacks, unless apiMaxLength says otherwise.
const MAX_UNPACKED = 5 * 1024 * 1024
// What deflate may make of a byte: https://zlib.net/zlib_tech.html
const MAX_RATIO = 1032
// What a piece costs besides its bytes, rounded up: who sends them one by one makes the process hold much more than he has sent.
const PIECE_BYTES = 256
// Fewer are no trouble, however small they are; so many are taken for long only if they are worth it.
const FEW_PIECES = 1024
const TINY_PIECE = 16
// What is shorter is read in no time.
const LONG = 16 * 1024
// As V8 lays them out, rounded. A key that no other object has needs a text and a place of its own.
const OBJECT_BYTES = 56
const SLOT_BYTES = 16
const KEY_BYTES = 128

/** Counts the bytes of a body from the first to what was made of them. */
export function countBody(
  request: IncomingMessage,
  { held, refuse }: { held: (bytes: number) => void; refuse: (why: string) => void },
): void {
  const isPacked = (request.headers['content-encoding'] ?? 'identity') !== 'identity'
  let bytes = 0
  let pieces = 0
  const parts = createPartCounter(request)
  let body: unknown
  let parsed = 0
  const tell = () => {
    const received = bytes + pieces * PIECE_BYTES
    // What is packed can end before the request does.
    const isUnpacked = request.readableEnded && parsed > 0
    const unpacked = isPacked && !isUnpacked ? Math.min(MAX_UNPACKED, bytes * MAX_RATIO) : 0
    held(Math.max(received + unpacked, parsed))
  }
  const push = request.push.bind(request)
  // Where Node.js hands over what has come; a listener would take it from whoever reads the body.
  request.push = (chunk: Buffer | null, encoding) => {
    if (!chunk) {
      if (!isPacked && bytes < LONG) return push(chunk)
      takeTurn(() => push(chunk))
      return false
    }
    if (request.destroyed) return false
    bytes += chunk.length
    pieces += 1
    if (pieces > FEW_PIECES && bytes < pieces * TINY_PIECE) {
      refuse(`its request came in ${pieces} pieces of ${Math.ceil(bytes / pieces)} bytes on average; send larger ones`)
      return false
    }
    const problem = parts?.(chunk)
    if (problem !== undefined) {
      refuse(problem)
      return false
    }
    tell()
    return push(chunk, encoding)
  }
  // Where Node-RED puts what it has made of the body.
  Object.defineProperty(request, 'body', {
    configurable: true,
    enumerable: true,
    get: () => body,
    set(value: unknown) {
      body = value
      parsed = sizeOf(value)
      tell()
    },
  })
}

/** About what a value that came as JSON takes in memory, in bytes. */
function sizeOf(value: unknown): number {
  let size = 0
  const rest: unknown[] = [value]
  const keys = new Set<string>()
  while (rest.length > 0) {
    const next = rest.pop()
    if (typeof next === 'string') size += next.length
    else if (Buffer.isBuffer(next)) size += next.length
    else if (typeof next === 'object' && next !== null) {
      const slots: unknown[] = Array.isArray(next) ? next : valuesOf(next, keys)
      size += OBJECT_BYTES + slots.length * SLOT_BYTES
      for (const slot of slots) if (typeof slot === 'string' || typeof slot === 'object') rest.push(slot)
    }
  }
  return size + keys.size * KEY_BYTES
}

/** Quicker than Object.values() where there are many. */
function valuesOf(value: object, keys: Set<string>): unknown[] {
  return Object.keys(value).map((key) => {
    keys.add(key)
    return (value as Record<string, unknown>)[key]
  })
}
