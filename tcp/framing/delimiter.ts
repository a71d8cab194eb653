import { FrameTooLongError, type Framer, type Framing } from '../framing.ts'
import { createByteQueue } from './byte-queue.ts'
import { createQueueFramer } from './queue-framer.ts'

/** Frames end with a delimiter, which does not count to their length. */
export function createDelimiterFramer({ delimiter, keep }: Extract<Framing, { kind: 'delimiter' }>, maxFrame: number): Framer {
  if (delimiter.length === 0) throw new RangeError('a delimiter needs at least one byte')
  const queue = createByteQueue()
  // No delimiter begins before this position.
  let searched = 0

  function next(): Buffer | undefined {
    const length = queue.find(delimiter, searched)
    searched = length >= 0 ? length : Math.max(searched, queue.size - delimiter.length + 1)
    if (searched > maxFrame) throw new FrameTooLongError(maxFrame)
    if (length < 0) return undefined
    searched = 0
    if (keep) return queue.take(length + delimiter.length)
    const frame = queue.take(length)
    queue.skip(delimiter.length)
    return frame
  }

  return createQueueFramer(queue, { next, endCompletes: true, reset: () => (searched = 0) })
}
