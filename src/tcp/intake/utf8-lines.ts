import { decodeText, decodeValidUtf8, encodeText } from '../encoding.ts'
import type { Framing } from '../framing/framing.ts'
import { createDelimiterFramer } from '../framing/delimiter.ts'
import type { Intake, IntakeOptions } from './intake.ts'
import { giveHeap, takeHeap } from './heap-text.ts'

const NOTHING = Buffer.alloc(0)
// From here on a line is decoded while it comes.
const LONG_LINE_BYTES = 64 * 1024

/**
 * Lines of UTF-8. A long one is decoded while it comes: its chunks, its bytes in one piece and its text together would be a multiple of
 * it, all outside of V8's heap, which would have all of the heap collected every few lines. What finds no place in the heap stays bytes.
 */
export function createUtf8Lines({ maxFrame }: IntakeOptions, framing: Extract<Framing, { kind: 'delimiter' }>): Intake {
  const framer = createDelimiterFramer(framing, maxFrame)
  let begun: string[] = []
  let begunUnits = 0
  let begunBytes = 0
  let staysBytes = false

  function decodeBegun(): void {
    if (staysBytes || framer.size < LONG_LINE_BYTES) return
    const bytes = framer.peekBegun()
    // Never more units than bytes.
    staysBytes = !takeHeap(bytes.length)
    if (staysBytes) return
    const decoded = decodeValidUtf8(bytes)
    giveHeap(bytes.length - (decoded?.text.length ?? 0))
    staysBytes = decoded === undefined
    if (!decoded) return
    begun.push(decoded.text)
    begunUnits += decoded.text.length
    begunBytes += decoded.length
    framer.takeBegun(decoded.length)
  }

  function whole(rest: Buffer): string {
    const text = decodeText(rest, 'utf8')
    staysBytes = false
    if (begunBytes === 0) return text
    begun.push(text)
    return takeBegun()
  }

  function takeBegun(): string {
    const text = begun.join('')
    giveHeap(begunUnits)
    begun = []
    begunUnits = begunBytes = 0
    return text
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
    compact: framer.compact,
    stop: () => void takeBegun(),
  }
}
