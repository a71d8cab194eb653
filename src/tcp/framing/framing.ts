/** How bytes are cut into frames. Lengths in bytes, times in milliseconds. */
export type Framing =
  /** Every chunk as it arrives. */
  | { kind: 'stream' }
  /** Everything until the peer sends FIN, as one frame. */
  | { kind: 'single' }
  /** Frames end with these bytes; `keep` leaves them on. */
  | { kind: 'delimiter'; delimiter: Buffer; keep: boolean }
  | { kind: 'fixed'; length: number }
  /**
   * A field at `offset` tells the length of what follows it, `adjust` added. `keepHeader`: the frame starts with all that comes before
   * the field and the field itself, else after it. `start`: what frames begin with, by which one that is out of step is found out.
   */
  | { kind: 'length'; offset: number; size: 1 | 2 | 4; endian: 'big' | 'little'; adjust: number; keepHeader: boolean; start?: Buffer }
  /** A frame ends when nothing has arrived for this many milliseconds. */
  | { kind: 'gap'; ms: number }
  /**
   * Frames stand between these bytes, which `keep` leaves on; what is outside is skipped. So many bytes behind the end, such as a checksum,
   * belong to the frame: `trailer`.
   */
  | { kind: 'marker'; start: Buffer; end: Buffer; keep: boolean; trailer?: number }

/**
 * What is left when the peer ends: a whole frame for kinds that the end completes (single, delimiter, gap), else the part of one that was
 * cut off, as it came: with its header or start, whatever frames leave out.
 */
export type Tail = { bytes: Buffer; complete: boolean }

/**
 * Cuts a stream of bytes into frames; any chunking gives the same frames, in time linear in the bytes. Pull one frame at a time, so that
 * a consumer can stop in the middle of a chunk.
 */
export type Framer = {
  push: (chunk: Buffer) => void
  /**
   * The next whole frame, or undefined when more bytes are needed.
   * @throws FrameTooLongError when a frame gets longer than the limit, header counted when it is kept, delimiters and marks never
   * @throws BadLengthError
   */
  next: () => Buffer | undefined
  /** Takes the rest once `next` has nothing more; undefined when there is none. The framer is empty afterwards. */
  flush: () => Tail | undefined
  /** Takes all bytes not emitted yet, for another framer to continue with. The framer is empty afterwards. */
  release: () => Buffer
  /** Releases memory not needed for the bytes held. */
  compact: () => void
  /** How many bytes are held. */
  readonly size: number
  /** How many bytes have been skipped because they belonged to no frame. */
  readonly skipped: number
  /** Stops timers. */
  stop: () => void
}

export type FramerOptions = {
  framing: Framing
  /** The longest frame, in bytes. */
  maxFrame: number
  /** Called when a time-out completes a frame, so that the consumer pulls again. */
  onReady: () => void
  /** Called with the bytes read when a frame does not begin where it should; framing goes on with the next one that does. */
  onOutOfStep?: (why: string) => void
}

/** A frame is longer than the limit. */
export class FrameTooLongError extends Error {
  readonly limit: number

  constructor(limit: number, why?: string) {
    super(`a frame is longer than the limit of ${limit} bytes${why === undefined ? '' : `: ${why}`}`)
    this.limit = limit
  }
}

/** A length field gives a body of negative length. */
export class BadLengthError extends Error {
  /** The value of the field. */
  readonly value: number

  constructor(value: number, { length, header }: { length: number; header: string }) {
    super(`a length field of ${value} makes a frame body of ${length} bytes (read: ${header})`)
    this.value = value
  }
}
