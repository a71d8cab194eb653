import { createByteQueue } from '../framing/byte-queue.ts'
import { createIntake } from '../intake/create-intake.ts'
import type { IntakeOptions, Payload } from '../intake/intake.ts'

/** When a reply is whole. Times in milliseconds, counts in bytes. */
export type ReplyEnd =
  /** This long after its first byte. */
  | { kind: 'time'; ms: number }
  /** With these bytes. */
  | { kind: 'bytes'; bytes: Buffer }
  | { kind: 'count'; bytes: number }
  /** No reply is expected: the connection ends once the request is sent. */
  | { kind: 'none' }
  /** Never: the connection stays open, and everything received is passed on, cut by `intake`. */
  | { kind: 'stay'; intake: IntakeOptions }

export type ReplyOptions = {
  end: ReplyEnd
  /** The longest reply, in bytes. */
  maxReply: number
}

/** Collects a reply until it is complete. */
export type ReplyReader = {
  push: (chunk: Buffer) => void
  /** The peer has ended; true when something was passed on, or nothing more was to be expected. */
  end: () => boolean
  /** How many bytes of an incomplete reply have arrived. */
  readonly size: number
  /** How many bytes are held, part of a reply or not. */
  readonly held: number
  /** Up to `most` of its first bytes. */
  peek: (most: number) => Buffer
  stop: () => void
}

type ReplyEvents = { onReply: (payload: Payload, partial: boolean) => void; onWhole: () => void }

const NOTHING = Buffer.alloc(0)

export function createReplyReader(options: ReplyOptions, events: ReplyEvents): ReplyReader {
  const { end } = options
  if (end.kind === 'none') return { push() {}, end: () => true, size: 0, held: 0, peek: () => NOTHING, stop() {} }
  return end.kind === 'stay' ? createStream(end.intake, events) : createCollector(options, events)
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
    size: 0,
    get held() {
      return intake.size
    },
    peek: () => NOTHING,
    stop: intake.stop,
  }
}

function createCollector({ end, maxReply }: ReplyOptions, { onReply, onWhole }: ReplyEvents): ReplyReader {
  const queue = createByteQueue()
  const find = end.kind === 'bytes' ? createFinder(end.bytes) : undefined
  let timer: NodeJS.Timeout | undefined
  let lastLook: NodeJS.Immediate | undefined
  const stop = () => {
    clearTimeout(timer)
    clearImmediate(lastLook)
  }
  const give = (length: number, partial: boolean) => {
    stop()
    onReply(queue.peek(length), partial)
  }
  const whole = (length: number) => {
    give(length, false)
    onWhole()
  }
  // When the process was busy for longer, its timers fire before bytes are read that came meanwhile.
  const look = () => {
    lastLook = setImmediate(() => whole(queue.size))
  }
  return {
    push(chunk) {
      const before = queue.size
      queue.push(chunk)
      const { size } = queue
      if (end.kind === 'time') timer ??= setTimeout(look, end.ms)
      const length = find ? before + find(chunk) : end.kind === 'count' ? Math.max(1, end.bytes) : Infinity
      if (length <= size) whole(length)
      else if (size > maxReply) throw new Error(`longer than the limit of ${maxReply} bytes`)
    },
    end() {
      if (queue.size === 0) return false
      // By time alone a reply has no other end than this.
      give(queue.size, end.kind !== 'time')
      return true
    },
    get size() {
      return queue.size
    },
    get held() {
      return queue.size
    },
    peek: (most) => queue.peek(Math.min(queue.size, most)),
    stop,
  }
}

/** Tells behind which byte of a chunk what is looked for ends, even where it began in the chunk before; Infinity: it does not. */
function createFinder(wanted: Buffer): (chunk: Buffer) => number {
  let tail: Buffer = NOTHING
  return (chunk) => {
    const seen = tail.length === 0 ? chunk : Buffer.concat([tail, chunk])
    const index = seen.indexOf(wanted)
    const from = tail.length
    if (wanted.length > 1) tail = Buffer.from(seen.subarray(-(wanted.length - 1)))
    return index === -1 ? Infinity : index + wanted.length - from
  }
}
