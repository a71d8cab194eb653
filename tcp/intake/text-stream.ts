import { createDecoder, encodeText } from '../encoding.ts'
import type { Intake } from '../intake.ts'

/** Text as it comes; a character that is split between chunks waits for its rest. */
export function createTextStream(encoding: string): Intake {
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
