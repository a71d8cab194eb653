import { createIntake, type IntakeOptions, type Payload } from '../intake.ts'

/** When a reply is whole. Times in milliseconds, counts in bytes. */
export type ReplyEnd =
  /** So long after its first byte. */
  | { kind: 'time'; ms: number }
  /** With this byte. */
  | { kind: 'byte'; byte: number }
  | { kind: 'count'; bytes: number }
  /** Nothing is waited for: the connection ends once the request is sent. */
  | { kind: 'none' }
  /** Never: the connection stays, and all that comes is passed on, cut by `intake`. */
  | { kind: 'stay'; intake: IntakeOptions }

export type ReplyOptions = {
  end: ReplyEnd
  /** The longest reply, in bytes. */
  maxReply: number
}

/** Collects a reply until it is whole. */
export type ReplyReader = {
  push: (chunk: Buffer) => void
  /** The peer has ended; true when something was passed on, or nothing more was to be expected. */
  end: () => boolean
  /** Whether no reply is owed: the connection stays, and what comes is not asked for. */
  readonly isIdle: boolean
  stop: () => void
}

type ReplyEvents = { onReply: (payload: Payload, partial: boolean) => void; onWhole: () => void }

export function createReplyReader(options: ReplyOptions, events: ReplyEvents): ReplyReader {
  return options.end.kind === 'stay' ? createStream(options.end.intake, events) : createCollector(options, events)
}

function createStream(intakeOptions: IntakeOptions, { onReply }: ReplyEvents): ReplyReader {
  const intake = createIntake(intakeOptions, () => pull())
  const pull = () => {
    for (let payload = intake.next(); payload !== undefined; payload = intake.next()) onReply(payload, false)
  }
  return {
    push(chunk) {
      intake.push(chunk)
      pull()
    },
    end() {
      const tail = intake.flush()
      if (tail) onReply(tail.payload, !tail.complete)
      return true
    },
    isIdle: true,
    stop: intake.stop,
  }
}

function createCollector({ end, maxReply }: ReplyOptions, { onReply, onWhole }: ReplyEvents): ReplyReader {
  const chunks: Buffer[] = []
  let size = 0
  let timer: NodeJS.Timeout | undefined
  const whole = (length: number, partial: boolean) => {
    clearTimeout(timer)
    onReply(Buffer.concat(chunks).subarray(0, length), partial)
    if (!partial) onWhole()
  }
  return {
    push(chunk) {
      chunks.push(chunk)
      const before = size
      size += chunk.length
      if (end.kind === 'time') timer ??= setTimeout(() => whole(size, false), end.ms)
      const length = end.kind === 'byte' ? endingWith(chunk, end.byte, before) : end.kind === 'count' ? Math.max(1, end.bytes) : Infinity
      if (length <= size) whole(length, false)
      else if (size > maxReply) throw new Error(`longer than the limit of ${maxReply} bytes`)
    },
    end() {
      if (size === 0) return false
      // By time alone a reply has no other end than this.
      whole(size, end.kind !== 'time')
      return true
    },
    isIdle: false,
    stop: () => clearTimeout(timer),
  }
}

function endingWith(chunk: Buffer, byte: number, before: number): number {
  const index = chunk.indexOf(byte)
  return index === -1 ? Infinity : before + index + 1
}
