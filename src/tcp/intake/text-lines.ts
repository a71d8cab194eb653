import { createDecoder, decodeText, encodeText } from '../encoding.ts'
import type { Framing } from '../framing/framing.ts'
import { createTextDelimiterFramer } from '../framing/text-delimiter.ts'
import type { Intake, IntakeOptions } from './intake.ts'

/** Lines of text where a delimiter's bytes may be part of other characters, so that they are cut after decoding. */
export function createTextLines({ encoding, maxFrame }: IntakeOptions, framing: Extract<Framing, { kind: 'delimiter' }>): Intake {
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
    compact() {},
    // Two bytes for each unit.
    get size() {
      return 2 * framer.size
    },
    skipped: 0,
    stop() {},
  }
}
