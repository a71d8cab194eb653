import { createDecoder, encodeText } from '../encoding.ts'
import type { Intake } from './intake.ts'

/** Text as it comes; a character that is split between chunks waits for its rest. */
export function createTextStream(encoding: string): Intake {
  const decoder = createDecoder(encoding)
  let ready: string[] = []
  let waiting = 0
  return {
    push(chunk) {
      const text = decoder.write(chunk)
      if (text === '') return
      ready.push(text)
      waiting += text.length
    },
    next() {
      const text = ready.shift()
      waiting -= text?.length ?? 0
      return text
    },
    flush() {
      const text = ready.join('') + decoder.end()
      ready = []
      waiting = 0
      return text === '' ? undefined : { payload: text, complete: true }
    },
    release() {
      const bytes = Buffer.concat([encodeText(ready.join(''), encoding), decoder.pending()])
      ready = []
      waiting = 0
      return bytes
    },
    compact() {},
    get size() {
      return decoder.pending().length + 2 * waiting
    },
    skipped: 0,
    stop() {},
  }
}
