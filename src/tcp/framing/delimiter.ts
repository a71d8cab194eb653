import { FrameTooLongError, type Framer, type Framing } from './framing.ts'
import { createByteQueue } from './byte-queue.ts'
import { createQueueFramer } from './queue-framer.ts'

/** A framer whose owner can take away the beginning of a frame that is long in coming, so that it is not held here. */
export type DelimiterFramer = Framer & {
  /** Bytes of a frame that is not whole, in none of which a delimiter begins. A view when they lie in one chunk. */
  peekBegun: () => Buffer
  /** Takes so many of them away; they go on counting to the length of the frame, whose rest alone comes. */
  takeBegun: (length: number) => void
}

/** Frames end with a delimiter, which does not count to their length. */
export function createDelimiterFramer({ delimiter, keep }: Extract<Framing, { kind: 'delimiter' }>, maxFrame: number): DelimiterFramer {
  if (delimiter.length === 0) throw new RangeError('a delimiter needs at least one byte')
  const queue = createByteQueue()
  // No delimiter begins before this position.
  let searched = 0
  let taken = 0

  function next(): Buffer | undefined {
    const length = queue.find(delimiter, searched)
    searched = length >= 0 ? length : Math.max(searched, queue.size - delimiter.length + 1)
    if (taken + searched > maxFrame) throw new FrameTooLongError(maxFrame)
    if (length < 0) return undefined
    reset()
    if (keep) return queue.take(length + delimiter.length)
    const frame = queue.take(length)
    queue.skip(delimiter.length)
    return frame
  }

  function reset(): void {
    searched = taken = 0
  }

  return Object.assign(createQueueFramer(queue, { next, endCompletes: true, reset }), {
    peekBegun: () => queue.peek(searched),
    takeBegun(length: number) {
      queue.skip(length)
      searched -= length
      taken += length
    },
  })
}
