import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

// V8 counts the small objects that hold received bytes, hardly the bytes: at full speed about 80 MB of dead chunks pile up before it looks.
const COLLECT_EVERY_BYTES = 8 * 1024 * 1024

type Collect = (options: { type: 'minor' }) => void

// A process has one heap, and this is about it, so it is counted here and not for each engine.
let received = 0
let collect: Collect | undefined

/** Counts received bytes; after every 8 MiB the young generation is collected, which takes well under a millisecond when little of it lives. */
export function countReceived(bytes: number): void {
  received += bytes
  if (received < COLLECT_EVERY_BYTES) return
  received = 0
  collect ??= takeCollector()
  collect({ type: 'minor' })
}

/** Hidden from all function nodes, present and future: a call would stop everything for a full collection. */
function takeCollector(): Collect {
  setFlagsFromString('--expose-gc')
  try {
    return runInNewContext('gc') as Collect
  } finally {
    setFlagsFromString('--no-expose-gc')
  }
}
