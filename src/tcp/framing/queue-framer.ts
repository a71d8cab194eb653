import type { Framer } from './framing.ts'
import type { ByteQueue } from './byte-queue.ts'

/** What one kind of framing does its own way. */
export type QueueFraming = {
  next: () => Buffer | undefined
  /** Whether the end of the stream completes a frame. */
  endCompletes: boolean
  push?: (chunk: Buffer) => void
  /** Called when all bytes are taken out at once. */
  reset?: () => void
  stop?: () => void
  skipped?: () => number
}

/** A framer that holds its bytes in a queue. */
export function createQueueFramer(queue: ByteQueue, { next, endCompletes, push = queue.push, reset, stop, skipped }: QueueFraming): Framer {
  function release(): Buffer {
    reset?.()
    return queue.takeAll()
  }

  return {
    push,
    next,
    flush: () => (queue.size === 0 ? undefined : { bytes: release(), complete: endCompletes }),
    release,
    compact: queue.compact,
    get size() {
      return queue.size
    },
    get skipped() {
      return skipped?.() ?? 0
    },
    stop: () => stop?.(),
  }
}
