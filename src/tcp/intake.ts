import { decodeText, isSelfSynchronizing, isUtf8Name } from './encoding.ts'
import { createFramer, type Framing } from './framing.ts'
import { createTextLines } from './intake/text-lines.ts'
import { createTextStream } from './intake/text-stream.ts'
import { createUtf8Lines } from './intake/utf8-lines.ts'

/** What received bytes become: themselves, or text in an encoding that iconv-lite knows, or Base64 or hex digits. */
export type DataType = 'buffer' | 'text' | 'base64' | 'hex'

export type Payload = Buffer | string

export type IntakeOptions = { framing: Framing; dataType: DataType; encoding: string; maxFrame: number }

/** What comes out at the end of a stream. `complete: false`: the peer ended in the middle of a frame. */
export type IntakeTail = { payload: Payload; complete: boolean }

/** From the bytes of one connection to payloads. Pull, so that a consumer can stop in the middle of a chunk. */
export type Intake = {
  push: (chunk: Buffer) => void
  /** @throws FrameTooLongError, BadLengthError */
  next: () => Payload | undefined
  flush: () => IntakeTail | undefined
  /** All bytes that were not emitted yet, for another intake to go on with. */
  release: () => Buffer
  /** Lets go of memory that is not needed for what is held. */
  compact: () => void
  /** How many bytes are held. */
  readonly size: number
  readonly skipped: number
  stop: () => void
}

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

/** Whether every chunk is a payload as it is, so that there is nothing to hold or to do. */
export function isPassedOn(options: IntakeOptions | undefined): boolean {
  return options !== undefined && options.framing.kind === 'stream' && options.dataType === 'buffer'
}

/** Whether two intakes cut and decode alike, so that one can go on with what the other holds. */
export function sameIntake(a: IntakeOptions | undefined, b: IntakeOptions | undefined): boolean {
  return JSON.stringify(a) === JSON.stringify(b)
}
