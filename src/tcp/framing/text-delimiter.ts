import { FrameTooLongError } from './framing.ts'
import { createTextPile } from './text-pile.ts'

export type TextDelimiterOptions = {
  delimiter: string
  /** Leaves the delimiter on. */
  keep: boolean
  /** The longest frame, in UTF-16 code units, of which an encoded character never has more than it has bytes. */
  maxFrame: number
}

/** The delimiter framer for decoded text, for encodings in which a delimiter's bytes may be part of other characters. */
export type TextDelimiterFramer = {
  push: (text: string) => void
  /** @throws FrameTooLongError when a frame gets longer than the limit */
  next: () => string | undefined
  flush: () => { text: string; complete: true } | undefined
  release: () => string
  /** How many UTF-16 code units are held. */
  readonly size: number
}

export function createTextDelimiterFramer({ delimiter, keep, maxFrame }: TextDelimiterOptions): TextDelimiterFramer {
  if (delimiter === '') throw new RangeError('a delimiter needs at least one character')
  const overlap = delimiter.length - 1
  const begun = createTextPile()
  let waiting: string[] = []
  // What is searched now: the frame begun lies in `begun` and in here from `offset` on; no delimiter begins before `searched`.
  let text = ''
  let offset = 0
  let searched = 0
  let size = 0

  function next(): string | undefined {
    for (;;) {
      const at = text.indexOf(delimiter, searched)
      searched = at >= 0 ? at : Math.max(searched, text.length - overlap)
      if (begun.length + searched - offset > maxFrame) throw new FrameTooLongError(maxFrame)
      if (at >= 0) return takeFrame(at)
      begun.add(text.slice(offset, searched))
      text = text.slice(searched)
      offset = searched = 0
      const more = waiting.shift()
      if (more === undefined) return undefined
      text += more
    }
  }

  function takeFrame(at: number): string {
    const after = at + delimiter.length
    size -= begun.length + after - offset
    begun.add(text.slice(offset, keep ? after : at))
    offset = searched = after
    return begun.take()
  }

  function release(): string {
    begun.add(text.slice(offset))
    for (const piece of waiting) begun.add(piece)
    waiting = []
    text = ''
    offset = searched = size = 0
    return begun.take()
  }

  return {
    push(piece) {
      if (piece === '') return
      waiting.push(piece)
      size += piece.length
    },
    next,
    flush: () => (size === 0 ? undefined : { text: release(), complete: true }),
    release,
    get size() {
      return size
    },
  }
}
