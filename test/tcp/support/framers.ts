import { createFramer } from '../../../src/tcp/framing/create-framer.ts'
import type { Framer, Framing } from '../../../src/tcp/framing/framing.ts'

const MAX_FRAME = 1024

export function delimiter(text: string, keep = false): Framing {
  return { kind: 'delimiter', delimiter: Buffer.from(text), keep }
}

export function marker(start: string, end: string, { keep = false, trailer = 0 } = {}): Framing {
  return { kind: 'marker', start: Buffer.from(start), end: Buffer.from(end), keep, trailer }
}

export function lengthField(options: Partial<Extract<Framing, { kind: 'length' }>> = {}): Framing {
  return { kind: 'length', offset: 0, size: 1, endian: 'big', adjust: 0, keepHeader: false, ...options }
}

export function open(framing: Framing, maxFrame = MAX_FRAME): Framer {
  return createFramer({ framing, maxFrame, onReady() {} })
}

/** Pulls all frames that are whole into a list; those before an error are in it, too. */
export function pull(framer: Framer, frames: string[] = []): string[] {
  for (let frame = framer.next(); frame !== undefined; frame = framer.next()) frames.push(frame.toString('latin1'))
  return frames
}

/** Pushes and pulls chunk by chunk. */
export function feed(framer: Framer, chunks: Iterable<Buffer | string>, frames: string[] = []): string[] {
  for (const chunk of chunks) {
    framer.push(Buffer.from(chunk))
    pull(framer, frames)
  }
  return frames
}

export function tailOf(framer: Framer): { text: string; complete: boolean } | undefined {
  const tail = framer.flush()
  return tail && { text: tail.bytes.toString('latin1'), complete: tail.complete }
}
