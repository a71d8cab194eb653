import { decodeText, decodeValidUtf8, encodeText } from '../encoding.ts'
import type { Framing } from '../framing.ts'
import { createDelimiterFramer } from '../framing/delimiter.ts'
import { createTextPile } from '../framing/text-pile.ts'
import type { Intake, IntakeOptions } from '../intake.ts'

const NOTHING = Buffer.alloc(0)
// From here on a line is decoded while it comes.
const LONG_LINE_BYTES = 64 * 1024

/**
 * Lines of UTF-8. A long one is decoded while it comes: its chunks, its bytes in one piece and its text together would be a multiple of
 * it, all outside of V8's heap, which would have all of the heap collected every few lines.
 */
export function createUtf8Lines({ maxFrame }: IntakeOptions, framing: Extract<Framing, { kind: 'delimiter' }>): Intake {
  const framer = createDelimiterFramer(framing, maxFrame)
  const begun = createTextPile()
  let begunBytes = 0
  let isValid = true

  function decodeBegun(): void {
    if (!isValid || framer.size < LONG_LINE_BYTES) return
    const decoded = decodeValidUtf8(framer.peekBegun())
    isValid = decoded !== undefined
    if (!decoded) return
    begun.add(decoded.text)
    begunBytes += decoded.length
    framer.takeBegun(decoded.length)
  }

  function whole(rest: Buffer): string {
    const text = decodeText(rest, 'utf8')
    isValid = true
    if (begunBytes === 0) return text
    begunBytes = 0
    begun.add(text)
    return begun.take()
  }

  return {
    push: framer.push,
    next() {
      const frame = framer.next()
      if (frame) return whole(frame)
      decodeBegun()
      return undefined
    },
    flush() {
      const size = begunBytes + framer.size
      const text = whole(framer.release())
      return size === 0 ? undefined : { payload: text, complete: true }
    },
    release() {
      const rest = framer.release()
      const text = whole(NOTHING)
      return text === '' ? rest : Buffer.concat([encodeText(text, 'utf8'), rest])
    },
    get size() {
      return begunBytes + framer.size
    },
    skipped: 0,
    stop() {},
  }
}
