import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

// V8 counts the small objects that hold received bytes, hardly the bytes: at full speed about 80 MB of dead chunks pile up before it looks.
const COLLECT_EVERY_BYTES = 8 * 1024 * 1024

const collect = takeCollector()

// Contexts that are made later, those of function nodes among them, shall not have it: a call would stop everything for a full collection.
function takeCollector(): (options: { type: 'minor' }) => void {
  setFlagsFromString('--expose-gc')
  try {
    return runInNewContext('gc') as (options: { type: 'minor' }) => void
  } finally {
    setFlagsFromString('--no-expose-gc')
  }
}

let received = 0

/** Counts received bytes; after every 8 MiB the young generation is collected, which takes well under a millisecond when little of it lives. */
export function countReceived(bytes: number): void {
  received += bytes
  if (received < COLLECT_EVERY_BYTES) return
  received = 0
  collect({ type: 'minor' })
}
