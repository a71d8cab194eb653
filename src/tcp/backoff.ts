const FIRST_MS = 250
// The peer sent something before it ended, so it may well be ready again at once.
const QUICK_MS = 20
const JITTER = 0.2

/** Growing pauses between attempts, with jitter so that many clients do not reconnect at the same moment. */
export type Backoff = {
  /** The next pause in milliseconds. `quick`: the last attempt got somewhere. */
  next: (options?: { quick?: boolean }) => number
  reset: () => void
}

/** Pauses that double up to `longestMs` milliseconds. */
export function createBackoff(longestMs: number): Backoff {
  let tries = 0
  return {
    next({ quick = false } = {}) {
      const base = quick ? QUICK_MS : FIRST_MS
      const pause = Math.min(longestMs, base * 2 ** Math.min(tries, 30))
      tries += 1
      return Math.round(pause * (1 - JITTER + 2 * JITTER * Math.random()))
    },
    reset() {
      tries = 0
    },
  }
}
