import type { Framing } from '../framing/framing.ts'

/** What received bytes become: themselves, or text in an encoding that iconv-lite knows, or Base64 or hex digits. */
export type DataType = 'buffer' | 'text' | 'base64' | 'hex'

export type Payload = Buffer | string

export type IntakeOptions = { framing: Framing; dataType: DataType; encoding: string; maxFrame: number }

/** What is emitted at the end of a stream. `complete: false`: the peer ended in the middle of a frame. */
export type IntakeTail = { payload: Payload; complete: boolean }

/** Turns the bytes of one connection into payloads. Pull one at a time, so that a consumer can stop in the middle of a chunk. */
export type Intake = {
  push: (chunk: Buffer) => void
  /** @throws FrameTooLongError, BadLengthError */
  next: () => Payload | undefined
  flush: () => IntakeTail | undefined
  /** Takes all bytes not emitted yet, for another intake to continue with. */
  release: () => Buffer
  /** Releases memory not needed for the bytes held. */
  compact: () => void
  /** How many bytes are held. */
  readonly size: number
  readonly skipped: number
  stop: () => void
}

/** Whether every chunk is a payload as it is, so that nothing has to be held or converted. */
export function isPassedOn(options: IntakeOptions | undefined): boolean {
  return options !== undefined && options.framing.kind === 'stream' && options.dataType === 'buffer'
}

/** Whether two intakes cut and decode alike, so that one can continue with what the other holds. */
export function sameIntake(a: IntakeOptions | undefined, b: IntakeOptions | undefined): boolean {
  return JSON.stringify(a) === JSON.stringify(b)
}
