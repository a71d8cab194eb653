import { FrameTooLongError, type Framer } from './framing.ts'
import { createByteQueue } from './byte-queue.ts'
import { createQueueFramer } from './queue-framer.ts'

/** All bytes are one frame, which only the end completes. */
export function createSingleFramer(maxFrame: number): Framer {
  const queue = createByteQueue()

  function next(): undefined {
    if (queue.size > maxFrame) throw new FrameTooLongError(maxFrame)
  }

  return createQueueFramer(queue, { next, endCompletes: true })
}
