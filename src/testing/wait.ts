import { setTimeout as sleep } from 'node:timers/promises'

const POLL_MS = 50

/** Asks until the answer is true; an error counts as not yet. Throws with the last error when the time is up, or as soon as `stopOn` says that waiting is vain. */
export async function waitUntil(
  condition: () => boolean | Promise<boolean>,
  { within, what, stopOn = () => false, pollMs = POLL_MS }: { within: number; what: string; stopOn?: () => boolean; pollMs?: number },
): Promise<void> {
  const deadline = Date.now() + within
  let last: unknown
  for (;;) {
    try {
      if (await condition()) return
      last = undefined
    } catch (error) {
      last = error
    }
    if (stopOn() || Date.now() > deadline) {
      throw new Error(`${what}: not there within ${within} ms${last instanceof Error ? `; ${last.message}` : ''}`, { cause: last })
    }
    await sleep(pollMs)
  }
}
