import { createDecoder, decodeText, encodeText, isSelfSynchronizing } from './encoding.ts'
import { createFramer, type Framing } from './framing.ts'
import { createTextDelimiterFramer } from './framing/text-delimiter.ts'

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
  readonly size: number
  readonly skipped: number
  stop: () => void
}

/** An intake for one connection; `onReady` is called when a payload becomes ready by time alone. */
export function createIntake(options: IntakeOptions, onReady: () => void): Intake {
  const { framing, dataType, encoding } = options
  if (dataType === 'text' && framing.kind === 'stream') return createTextStream(encoding)
  if (dataType === 'text' && framing.kind === 'delimiter' && !isSelfSynchronizing(encoding)) {
    return createTextLines(options, framing)
  }
  const framer = createFramer({ framing, maxFrame: options.maxFrame, onReady })
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

/** Text as it comes; a character that is split between chunks waits for its rest. */
function createTextStream(encoding: string): Intake {
  const decoder = createDecoder(encoding)
  let ready: string[] = []
  return {
    push(chunk) {
      const text = decoder.write(chunk)
      if (text !== '') ready.push(text)
    },
    next: () => ready.shift(),
    flush() {
      const text = ready.join('') + decoder.end()
      ready = []
      return text === '' ? undefined : { payload: text, complete: true }
    },
    release() {
      const bytes = Buffer.concat([encodeText(ready.join(''), encoding), decoder.pending()])
      ready = []
      return bytes
    },
    get size() {
      return decoder.pending().length
    },
    skipped: 0,
    stop() {},
  }
}

/** Lines of text where a delimiter's bytes may be part of other characters, so that they are cut after decoding. */
function createTextLines({ encoding, maxFrame }: IntakeOptions, framing: Extract<Framing, { kind: 'delimiter' }>): Intake {
  const decoder = createDecoder(encoding)
  const framer = createTextDelimiterFramer({ delimiter: decodeText(framing.delimiter, encoding), keep: framing.keep, maxFrame })
  return {
    push: (chunk) => framer.push(decoder.write(chunk)),
    next: framer.next,
    flush() {
      framer.push(decoder.end())
      const tail = framer.flush()
      return tail && { payload: tail.text, complete: true }
    },
    release: () => Buffer.concat([encodeText(framer.release(), encoding), decoder.pending()]),
    get size() {
      return framer.size
    },
    skipped: 0,
    stop() {},
  }
}

/** Whether every chunk is a payload as it is, so that there is nothing to hold or to do. */
export function isPassedOn(options: IntakeOptions | undefined): boolean {
  return options !== undefined && options.framing.kind === 'stream' && options.dataType === 'buffer'
}

/** Whether two intakes cut and decode alike, so that one can go on with what the other holds. */
export function sameIntake(a: IntakeOptions | undefined, b: IntakeOptions | undefined): boolean {
  return JSON.stringify(a) === JSON.stringify(b)
}
