import type { PublishFailure } from '../shared/facts.ts'

const FIRST_RETRY_MS = 1_000
const MAX_RETRY_MS = 10_000

type Entry = { failure: PublishFailure; tries: number; retryAt: number }

/** Ports that could not be published, and when each is tried again. */
export type FailedPorts = ReturnType<typeof createFailedPorts>

export function createFailedPorts(now: () => number = Date.now) {
  const entries = new Map<number, Entry>()
  return {
    /** Records a failure. Returns whether it differs from the last one. */
    note(failure: PublishFailure): boolean {
      const before = entries.get(failure.port)
      const tries = (before?.tries ?? 0) + 1
      entries.set(failure.port, { failure, tries, retryAt: now() + Math.min(FIRST_RETRY_MS * 2 ** (tries - 1), MAX_RETRY_MS) })
      return JSON.stringify(before?.failure) !== JSON.stringify(failure)
    },
    /** Whether a port may be tried now. */
    isDue: (port: number): boolean => (entries.get(port)?.retryAt ?? 0) <= now(),
    has: (port: number): boolean => entries.has(port),
    /** Forgets the failure of this port. Returns whether there was one. */
    forget: (port: number): boolean => entries.delete(port),
    /** Forgets ports that are no longer wanted. */
    keepOnly(ports: ReadonlySet<number>): void {
      for (const port of entries.keys()) if (!ports.has(port)) entries.delete(port)
    },
    /** Something has changed on the host: it may be worth a try at once. */
    retryNow(): void {
      for (const entry of entries.values()) entry.retryAt = 0
    },
    /** Milliseconds until the next port is due; undefined when none is. */
    nextDueMs(): number | undefined {
      if (entries.size === 0) return undefined
      return Math.max(0, Math.min(...[...entries.values()].map(({ retryAt }) => retryAt)) - now())
    },
    get size(): number {
      return entries.size
    },
  }
}
