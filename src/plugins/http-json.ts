// JSON is read in one go. Of the five megabytes that Node-RED takes that is quick, unless they are millions of empty lists or of keys.
import type { IncomingMessage } from 'node:http'

const MAX_VALUES = 250_000
const JSON_TYPE = /^\s*application\/json\s*(?:;|$)/i
const [QUOTE, BACKSLASH, OBJECT, LIST, COLON] = [...'"\\{[:'].map((character) => character.charCodeAt(0))

/** Counts the objects, lists and keys of a body, chunk by chunk; gives what is wrong with it, if so. Undefined where it is no JSON. */
export function createValueCounter({ headers }: IncomingMessage): ((chunk: Uint8Array) => string | undefined) | undefined {
  if (!JSON_TYPE.test(headers['content-type'] ?? '')) return undefined
  let values = 0
  let inText = false
  let isEscaped = false
  return (chunk) => {
    // By an index: an iterator takes ten times as long.
    for (let at = 0; at < chunk.length; at += 1) {
      const byte = chunk[at]
      if (isEscaped) isEscaped = false
      else if (byte === QUOTE) inText = !inText
      else if (inText) isEscaped = byte === BACKSLASH
      else if (byte === OBJECT || byte === LIST || byte === COLON) values += 1
    }
    return values > MAX_VALUES
      ? `its JSON has more than ${MAX_VALUES} objects, lists and keys; send several requests, or log in`
      : undefined
  }
}
