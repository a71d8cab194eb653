import type { Framer } from './framing.ts'
import { createByteQueue } from './byte-queue.ts'
import { createQueueFramer } from './queue-framer.ts'

/** All frames have the same length. */
export function createFixedFramer(length: number): Framer {
  if (!Number.isInteger(length) || length < 1) throw new RangeError(`a frame length of ${length} is not a whole number of 1 or more`)
  const queue = createByteQueue()
  return createQueueFramer(queue, { next: () => (queue.size < length ? undefined : queue.take(length)), endCompletes: false })
}
