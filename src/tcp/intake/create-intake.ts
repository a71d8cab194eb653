import { decodeText, isSelfSynchronizing, isUtf8Name } from '../encoding.ts'
import { createTextLines } from './text-lines.ts'
import { createTextStream } from './text-stream.ts'
import { createUtf8Lines } from './utf8-lines.ts'
import { createFramer } from '../framing/create-framer.ts'
import type { DataType, Intake, IntakeOptions, Payload } from './intake.ts'

/**
 * An intake for one connection; `onReady` is called when a payload becomes ready by time alone, `onOutOfStep` when bytes are skipped up to
 * the next frame.
 */
export function createIntake(options: IntakeOptions, onReady: () => void, onOutOfStep?: (why: string) => void): Intake {
  const { framing, dataType, encoding } = options
  if (dataType === 'text' && framing.kind === 'stream') return createTextStream(encoding)
  if (dataType === 'text' && framing.kind === 'delimiter') {
    if (isUtf8Name(encoding)) return createUtf8Lines(options, framing)
    if (!isSelfSynchronizing(encoding)) return createTextLines(options, framing)
  }
  const framer = createFramer({ framing, maxFrame: options.maxFrame, onReady, ...(onOutOfStep && { onOutOfStep }) })
  const convert = converterTo(dataType, encoding)
  return {
    push: framer.push,
    next() {
      const frame = framer.next()
      return frame && convert(frame)
    },
    flush() {
      const tail = framer.flush()
      return tail && { payload: convert(tail.bytes), complete: tail.complete }
    },
    release: framer.release,
    compact: framer.compact,
    get size() {
      return framer.size
    },
    get skipped() {
      return framer.skipped
    },
    stop: framer.stop,
  }
}

function converterTo(dataType: DataType, encoding: string): (bytes: Buffer) => Payload {
  if (dataType === 'buffer') return (bytes) => bytes
  if (dataType === 'text') return (bytes) => decodeText(bytes, encoding)
  return (bytes) => bytes.toString(dataType)
}
