import { FrameTooLongError, type Framer, type Framing } from './framing.ts'
import { createByteQueue } from './byte-queue.ts'

const NOTHING = Buffer.alloc(0)

/**
 * Frames stand between two marks, which do not count to their length. What looks like a start inside a frame is content. Where both marks
 * are the same bytes, each may end a frame and begin the next, and there are no empty frames: so it gets into step wherever it begins.
 */
export function createMarkerFramer({ start, end, keep, trailer = 0 }: Extract<Framing, { kind: 'marker' }>, maxFrame: number): Framer {
  if (start.length === 0 || end.length === 0) throw new RangeError('the marks of a frame need at least one byte each')
  const isShared = start.equals(end)
  if (isShared && trailer > 0)
    throw new RangeError('bytes after the end need an end that is not the same as the start: nobody could tell them')
  const queue = createByteQueue()
  // A start stands at the front of the queue; one that is an end as well is not in it any more.
  const head = isShared ? NOTHING : start
  let isOpen = false
  // No end begins before this position.
  let searched = 0
  let skipped = 0

  function skipNoise(): void {
    const noise = queue.find(start, 0)
    isOpen = noise >= 0
    // The last bytes may be the beginning of a start.
    skip(isOpen ? noise : Math.max(0, queue.size - start.length + 1))
    if (isOpen && isShared) queue.skip(start.length)
    searched = head.length
  }

  function skip(length: number): void {
    queue.skip(length)
    skipped += length
  }

  function next(): Buffer | undefined {
    if (!isOpen) skipNoise()
    if (!isOpen) return undefined
    let at = findEnd()
    while (isShared && at === 0) {
      queue.skip(end.length)
      searched = 0
      at = findEnd()
    }
    if (searched - head.length + trailer > maxFrame) throw new FrameTooLongError(maxFrame)
    if (at < 0 || queue.size < at + end.length + trailer) return undefined
    return isShared ? takeBetween(at) : takeFrame(at)
  }

  function findEnd(): number {
    const at = queue.find(end, searched)
    searched = at >= 0 ? at : Math.max(searched, queue.size - end.length + 1)
    return at
  }

  function takeFrame(at: number): Buffer {
    isOpen = false
    if (keep) return queue.take(at + end.length + trailer)
    queue.skip(start.length)
    const content = queue.take(at - start.length)
    queue.skip(end.length)
    return trailer === 0 ? content : Buffer.concat([content, queue.take(trailer)])
  }

  function takeBetween(at: number): Buffer {
    const content = queue.take(at)
    queue.skip(end.length)
    searched = 0
    return keep ? Buffer.concat([start, content, end]) : content
  }

  function release(): Buffer {
    const begun = isOpen && isShared ? start : NOTHING
    isOpen = false
    const rest = queue.takeAll()
    return begun.length === 0 ? rest : Buffer.concat([begun, rest])
  }

  return {
    push: queue.push,
    next,
    flush() {
      if (!isOpen) skipNoise()
      if (isOpen && queue.size > 0) return { bytes: release(), complete: false }
      isOpen = false
      skip(queue.size)
      return undefined
    },
    release,
    compact: queue.compact,
    get size() {
      return queue.size
    },
    get skipped() {
      return skipped
    },
    stop() {},
  }
}
