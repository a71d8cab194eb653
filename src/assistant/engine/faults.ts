import type { FaultSpec } from '../shared/spec.ts'

const SPLIT_DELAY_MS = 20

// Many small pieces that are due at once must not keep anybody else waiting.
const SLICE_MS = 10
const MANY = 1000

/** Bytes that go in pieces of one size, and how far that is. */
type Batch = { bytes: Uint8Array; at: number; size: number; delayMs: number; splitDelayMs: number }

/** What stands between whoever sends and the socket: passes bytes on as they are, or mistreats them as the settings say at that time. */
export type Outlet = {
  send: (bytes: Uint8Array) => void
  /** Bytes that wait in here. */
  readonly waiting: number
  stop: () => void
}

export function createOutlet(write: (bytes: Uint8Array) => void, faults: () => FaultSpec): Outlet {
  let queue: Batch[] = []
  // Those before this one have gone.
  let next = 0
  let merging: Uint8Array[] = []
  let mergeTimer: NodeJS.Timeout | undefined
  let timer: NodeJS.Timeout | NodeJS.Immediate | undefined
  let waiting = 0

  function send(bytes: Uint8Array): void {
    const { mergeMs = 0, delayMs = 0, splitBytes = 0 } = faults()
    if (mergeMs > 0) {
      waiting += bytes.length
      merging.push(bytes)
      mergeTimer ??= setTimeout(flushMerged, mergeMs)
      return
    }
    if (merging.length > 0) flushMerged()
    if (delayMs === 0 && splitBytes === 0 && queue.length === 0) return write(bytes)
    waiting += bytes.length
    enqueue(bytes)
  }

  function flushMerged(): void {
    clearTimeout(mergeTimer)
    mergeTimer = undefined
    const whole = Buffer.concat(merging)
    merging = []
    enqueue(whole)
  }

  function enqueue(bytes: Uint8Array): void {
    if (bytes.length === 0) return
    const { delayMs = 0, splitBytes = 0, splitDelayMs = SPLIT_DELAY_MS } = faults()
    queue.push({ bytes, at: 0, size: splitBytes > 0 ? splitBytes : Math.max(1, bytes.length), delayMs, splitDelayMs })
    if (timer === undefined) wait()
  }

  /** Waits for the next piece's time; those that are due go at once, as many as do not keep others waiting. */
  function wait(): void {
    const until = performance.now() + SLICE_MS
    timer = undefined
    for (let batch = queue[next]; batch !== undefined; batch = queue[next]) {
      const afterMs = batch.at === 0 ? batch.delayMs : batch.splitDelayMs
      if (afterMs > 0) return void (timer = setTimeout(passOne, afterMs))
      pass(batch)
      if (performance.now() > until) return void (timer = setImmediate(wait))
    }
    queue = []
    next = 0
  }

  function passOne(): void {
    const batch = queue[next]
    if (batch) pass(batch)
    wait()
  }

  function pass(batch: Batch): void {
    const piece = batch.bytes.subarray(batch.at, batch.at + batch.size)
    batch.at += batch.size
    if (batch.at >= batch.bytes.length) next += 1
    if (next >= MANY) {
      queue.splice(0, next)
      next = 0
    }
    waiting -= piece.length
    write(piece)
  }

  return {
    send,
    get waiting() {
      return waiting
    },
    stop() {
      clearTimeout(timer as NodeJS.Timeout)
      clearImmediate(timer as NodeJS.Immediate)
      timer = undefined
      clearTimeout(mergeTimer)
      queue = []
      next = 0
      merging = []
      waiting = 0
    },
  }
}

/** Reads at most so many bytes a second: says after each chunk how long to pause. */
export function pauseAfter(bytes: number, { readBytesPerSecond = 0 }: FaultSpec): number {
  return readBytesPerSecond > 0 ? Math.ceil((bytes / readBytesPerSecond) * 1000) : 0
}
