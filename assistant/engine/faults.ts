import type { FaultSpec } from '../shared/spec.ts'

const SPLIT_DELAY_MS = 20

type Piece = { bytes: Uint8Array; afterMs: number }

/** What stands between whoever sends and the socket: passes bytes on as they are, or mistreats them as the settings say at that time. */
export type Outlet = {
  send: (bytes: Uint8Array) => void
  /** Bytes that wait in here. */
  readonly waiting: number
  stop: () => void
}

export function createOutlet(write: (bytes: Uint8Array) => void, faults: () => FaultSpec): Outlet {
  const queue: Piece[] = []
  let merging: Uint8Array[] = []
  let mergeTimer: NodeJS.Timeout | undefined
  let timer: NodeJS.Timeout | undefined
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
    const { delayMs = 0, splitBytes = 0, splitDelayMs = SPLIT_DELAY_MS } = faults()
    const size = splitBytes > 0 ? splitBytes : Math.max(1, bytes.length)
    for (let at = 0; at < bytes.length; at += size) {
      queue.push({ bytes: bytes.subarray(at, at + size), afterMs: at === 0 ? delayMs : splitDelayMs })
    }
    if (timer === undefined) next()
  }

  function next(): void {
    timer = undefined
    const piece = queue[0]
    if (piece === undefined) return
    if (piece.afterMs > 0) timer = setTimeout(pass, piece.afterMs)
    else pass()
  }

  function pass(): void {
    const piece = queue.shift()
    timer = undefined
    if (piece === undefined) return
    waiting -= piece.bytes.length
    write(piece.bytes)
    next()
  }

  return {
    send,
    get waiting() {
      return waiting
    },
    stop() {
      clearTimeout(timer)
      clearTimeout(mergeTimer)
      queue.length = 0
      merging = []
      waiting = 0
    },
  }
}

/** Reads at most so many bytes a second: says after each chunk how long to pause. */
export function pauseAfter(bytes: number, { readBytesPerSecond = 0 }: FaultSpec): number {
  return readBytesPerSecond > 0 ? Math.ceil((bytes / readBytesPerSecond) * 1000) : 0
}
