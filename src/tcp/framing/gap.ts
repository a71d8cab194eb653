import { FrameTooLongError, type Framer } from './framing.ts'
import { createByteQueue } from './byte-queue.ts'
import { createQueueFramer } from './queue-framer.ts'

/** A frame ends when nothing has arrived for `ms` milliseconds; then `onReady` is called. */
export function createGapFramer(ms: number, maxFrame: number, onReady: () => void): Framer {
  const queue = createByteQueue()
  // Lengths of frames that have ended: bytes may come before the consumer pulls.
  let ended: number[] = []
  // Those before this one were taken.
  let taken = 0
  let endedSize = 0
  let timer: NodeJS.Timeout | undefined
  let lastLook: NodeJS.Immediate | undefined

  function push(chunk: Buffer): void {
    if (chunk.length === 0) return
    queue.push(chunk)
    clearImmediate(lastLook)
    if (timer === undefined) timer = setTimeout(look, ms).unref()
    else timer.refresh()
  }

  // When the process was busy for longer than the gap, its timers fire before bytes are read that came meanwhile.
  function look(): void {
    lastLook = setImmediate(end)
  }

  function end(): void {
    ended.push(queue.size - endedSize)
    endedSize = queue.size
    onReady()
  }

  function next(): Buffer | undefined {
    const length = ended[taken]
    if ((length ?? queue.size) > maxFrame) throw new FrameTooLongError(maxFrame)
    if (length === undefined) return undefined
    taken += 1
    if (taken === ended.length) {
      ended = []
      taken = 0
    }
    endedSize -= length
    return queue.take(length)
  }

  function stop(): void {
    clearTimeout(timer)
    clearImmediate(lastLook)
    timer = undefined
  }

  function reset(): void {
    stop()
    ended = []
    taken = 0
    endedSize = 0
  }

  return createQueueFramer(queue, { next, endCompletes: true, push, reset, stop })
}
