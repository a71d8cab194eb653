import { formatHex } from '../../text/hex.ts'
import { BadLengthError, FrameTooLongError, type Framer, type FramerOptions, type Framing } from './framing.ts'
import { createByteQueue } from './byte-queue.ts'
import { createQueueFramer } from './queue-framer.ts'

const SHOWN_BYTES = 16
const NOTHING = Buffer.alloc(0)

type Options = Pick<FramerOptions, 'maxFrame' | 'onOutOfStep'>

/**
 * A field in front of every frame tells its length. Where frames begin with known bytes, one that does not, or whose length cannot be, is
 * told of, and the next such bytes are looked for; else nobody could tell where the next frame begins.
 */
export function createLengthFramer(framing: Extract<Framing, { kind: 'length' }>, { maxFrame, onOutOfStep = () => {} }: Options): Framer {
  const { offset, size, endian, adjust, keepHeader, start = NOTHING } = framing
  if (start.length > offset)
    throw new RangeError(`the length field at offset ${offset} stands in the ${start.length} start bytes: it comes behind them`)
  const headerLength = offset + size
  const longest = keepHeader ? maxFrame - headerLength : maxFrame
  const queue = createByteQueue()
  let inStep = true
  let skipped = 0

  function next(): Buffer | undefined {
    while (start.length === 0 || findStart()) {
      if (queue.size < headerLength) return undefined
      const header = queue.peek(headerLength)
      const value = endian === 'big' ? header.readUIntBE(offset, size) : header.readUIntLE(offset, size)
      const length = value + adjust
      if (length >= 0 && length <= longest) {
        inStep = true
        return takeFrame(length)
      }
      if (start.length === 0) throw mistakeOf(header, { value, length })
      loseStep(() => mistakeOf(header, { value, length }).message)
      skip(1)
    }
    return undefined
  }

  function mistakeOf(header: Buffer, { value, length }: { value: number; length: number }): Error {
    if (length < 0) return new BadLengthError(value, { length, header: shown(header) })
    return new FrameTooLongError(maxFrame, `its length field says ${value} (read: ${shown(header)})`)
  }

  function takeFrame(length: number): Buffer | undefined {
    if (queue.size < headerLength + length) return undefined
    if (keepHeader) return queue.take(headerLength + length)
    queue.skip(headerLength)
    return queue.take(length)
  }

  /** Whether the start bytes stand at the front, once what is before them is skipped. */
  function findStart(): boolean {
    const there = queue.peek(Math.min(queue.size, start.length))
    if (there.equals(start)) return true
    if (inStep && start.subarray(0, there.length).equals(there)) return false
    loseStep(() => `a frame begins with ${shown(start)}, but ${shown(queue.peek(Math.min(queue.size, SHOWN_BYTES)))} was read`)
    const at = queue.find(start, 0)
    // The last bytes may be the beginning of a start.
    skip(at >= 0 ? at : Math.max(0, queue.size - start.length + 1))
    return at >= 0
  }

  /** Reported once until the next valid frame: every byte of a broken stream may be wrong. */
  function loseStep(why: () => string): void {
    if (inStep) onOutOfStep(why())
    inStep = false
  }

  function skip(length: number): void {
    queue.skip(length)
    skipped += length
  }

  return createQueueFramer(queue, { next, endCompletes: false, skipped: () => skipped, reset: () => void (inStep = true) })
}

function shown(bytes: Buffer): string {
  return `${formatHex(bytes.subarray(0, SHOWN_BYTES))}${bytes.length > SHOWN_BYTES ? ' …' : ''}`
}
