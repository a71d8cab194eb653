import { setImmediate as nextTurn } from 'node:timers/promises'

// What takes longer is felt by everybody else in the process.
const SLICE_MS = 10

export type Breath = () => Promise<void> | undefined

/**
 * For long work: await it now and then, and others have their turn when a slice of time is used up. Once `signal` says that nobody waits for
 * the work any more, it throws.
 */
export function createBreath(signal?: AbortSignal): Breath {
  let until = performance.now() + SLICE_MS
  return () => {
    if (performance.now() < until) return undefined
    return nextTurn().then(() => {
      signal?.throwIfAborted()
      until = performance.now() + SLICE_MS
    })
  }
}
