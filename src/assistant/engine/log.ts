import type { Direction, LogEntry } from '../shared/protocol.ts'
import { nowMicros } from './clock.ts'
import type { Notice } from '../shared/notice.ts'

const BLOCK_BYTES = 64 * 1024
// Chunks smaller than this are put together: each of its own would weigh many times its bytes.
const SMALL_BYTES = 16 * 1024
// What an entry weighs besides its bytes, counted so that many empty or short ones are bounded by bytes too.
const ENTRY_BYTES = 32

export type LogLimits = { entries: number; bytes: number }

/** What was sent and received, the newest of it: the oldest is dropped when there is too much, in entries or in bytes. */
export type Log = {
  /** Numbers of the oldest and the newest entry; numbers never come again. `last` is less than `first` when there is none. */
  readonly first: number
  readonly last: number
  readonly bytes: number
  readonly dropped: number
  /** Bytes ever logged, in each direction, whatever was dropped since. */
  readonly total: { rx: number; tx: number }
  add: (dir: Direction, peer: string, content: { data?: Uint8Array; note?: Notice }) => LogEntry
  get: (n: number) => LogEntry | undefined
  /** Entries from one number to another, as far as they are there, at most so many. */
  slice: (from: number, to: number, limit?: number) => LogEntry[]
  clear: () => void
}

export function createLog(limits: LogLimits): Log {
  // A ring: the entry n stands at n modulo its size, which grows up to the limit.
  let ring: (LogEntry | undefined)[] = []
  let first = 1
  let last = 0
  let bytes = 0
  let dropped = 0
  let block = Buffer.alloc(0)
  let used = 0
  const total = { rx: 0, tx: 0 }

  function weigh({ data }: LogEntry): number {
    return ENTRY_BYTES + (data?.length ?? 0)
  }

  function dropFirst(): void {
    const at = first % ring.length
    bytes -= weigh(ring[at]!)
    ring[at] = undefined
    first += 1
  }

  function grow(): void {
    const larger: (LogEntry | undefined)[] = new Array<LogEntry | undefined>(Math.min(limits.entries, Math.max(64, ring.length * 2)))
    for (let n = first; n <= last; n += 1) larger[n % larger.length] = ring[n % ring.length]
    ring = larger
  }

  /** A copy: what a socket or a caller has given may be used again. */
  function keep(data: Uint8Array): Uint8Array {
    if (data.length >= SMALL_BYTES) return Uint8Array.prototype.slice.call(data)
    if (block.length - used < data.length) {
      block = Buffer.allocUnsafeSlow(BLOCK_BYTES)
      used = 0
    }
    const copy = block.subarray(used, used + data.length)
    copy.set(data)
    used += data.length
    return copy
  }

  return {
    get first() {
      return first
    },
    get last() {
      return last
    },
    get bytes() {
      return bytes
    },
    get dropped() {
      return dropped
    },
    total,
    add(dir, peer, { data, note }) {
      if (last - first + 1 >= limits.entries) {
        dropFirst()
        dropped += 1
      }
      if (last - first + 1 >= ring.length) grow()
      last += 1
      const entry: LogEntry = { n: last, t: nowMicros(), dir, peer, ...(data ? { data: keep(data) } : {}), ...(note ? { note } : {}) }
      ring[last % ring.length] = entry
      bytes += weigh(entry)
      if (dir !== 'note') total[dir] += data?.length ?? 0
      while (bytes > limits.bytes && first < last) {
        dropFirst()
        dropped += 1
      }
      return entry
    },
    get: (n) => (n < first || n > last ? undefined : ring[n % ring.length]),
    slice(from, to, limit = Infinity) {
      const entries: LogEntry[] = []
      const end = Math.min(to, last)
      for (let n = Math.max(from, first); n <= end && entries.length < limit; n += 1) entries.push(ring[n % ring.length]!)
      return entries
    },
    clear() {
      ring = []
      first = last + 1
      bytes = 0
      block = Buffer.alloc(0)
      used = 0
    },
  }
}

/** The entries of a span, those of one peer when it is named. */
export function spanOf(
  log: Pick<Log, 'slice'>,
  { from = 0, to = Infinity, peer }: { from?: number; to?: number; peer?: string },
): LogEntry[] {
  const entries = log.slice(from, to)
  return peer === undefined || peer === '' ? entries : entries.filter((entry) => entry.peer === peer)
}
