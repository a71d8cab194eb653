import { FrameTooLongError, type Framer, type Framing } from '../framing.ts'
import { createByteQueue } from './byte-queue.ts'

/** Frames stand between two marks, which do not count to their length. What looks like a start inside a frame is content. */
export function createMarkerFramer({ start, end, keep }: Extract<Framing, { kind: 'marker' }>, maxFrame: number): Framer {
  if (start.length === 0 || end.length === 0) throw new RangeError('the marks of a frame need at least one byte each')
  const queue = createByteQueue()
  // Whether the queue begins with the start of a frame.
  let isOpen = false
  // No end begins before this position.
  let searched = 0
  let skipped = 0

  function skipNoise(): void {
    const noise = queue.find(start, 0)
    isOpen = noise >= 0
    // The last bytes may be the beginning of a start.
    skip(isOpen ? noise : Math.max(0, queue.size - start.length + 1))
    searched = start.length
  }

  function skip(length: number): void {
    queue.skip(length)
    skipped += length
  }

  function next(): Buffer | undefined {
    if (!isOpen) skipNoise()
    if (!isOpen) return undefined
    const at = queue.find(end, searched)
    searched = at >= 0 ? at : Math.max(searched, queue.size - end.length + 1)
    const length = searched - start.length
    if (length > maxFrame) throw new FrameTooLongError(maxFrame)
    if (at < 0) return undefined
    isOpen = false
    if (keep) return queue.take(at + end.length)
    queue.skip(start.length)
    const frame = queue.take(length)
    queue.skip(end.length)
    return frame
  }

  function release(): Buffer {
    isOpen = false
    return queue.takeAll()
  }

  return {
    push: queue.push,
    next,
    flush() {
      if (!isOpen) skipNoise()
      if (isOpen) return { bytes: release(), complete: false }
      skip(queue.size)
      return undefined
    },
    release,
    get size() {
      return queue.size
    },
    get skipped() {
      return skipped
    },
    stop() {},
  }
}
