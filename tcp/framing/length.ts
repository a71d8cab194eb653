import { BadLengthError, FrameTooLongError, type Framer, type Framing } from '../framing.ts'
import { createByteQueue } from './byte-queue.ts'
import { createQueueFramer } from './queue-framer.ts'

/** A field in front of every frame tells its length. */
export function createLengthFramer(framing: Extract<Framing, { kind: 'length' }>, maxFrame: number): Framer {
  const { offset, size, endian, adjust, keepHeader } = framing
  const headerLength = offset + size
  const queue = createByteQueue()

  function next(): Buffer | undefined {
    if (queue.size < headerLength) return undefined
    const header = queue.peek(headerLength)
    const value = endian === 'big' ? header.readUIntBE(offset, size) : header.readUIntLE(offset, size)
    const bodyLength = value + adjust
    if (bodyLength < 0) throw new BadLengthError(value, bodyLength)
    if ((keepHeader ? headerLength : 0) + bodyLength > maxFrame) throw new FrameTooLongError(maxFrame)
    if (queue.size < headerLength + bodyLength) return undefined
    if (keepHeader) return queue.take(headerLength + bodyLength)
    queue.skip(headerLength)
    return queue.take(bodyLength)
  }

  return createQueueFramer(queue, { next, endCompletes: false })
}
