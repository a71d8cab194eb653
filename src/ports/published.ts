// What Node-RED knows of the ways in from outside: what the environment says, and what forwarders and the watcher tell the status port.
import { createChanges } from '../tcp/changes.ts'
import type { Publication, PublishFailure, Reach } from './shared/facts.ts'
import type { PublishedPorts, PublishedRange } from './ranges.ts'

const MAX_KEPT = 200
const ANNOUNCED_MS = 8_000
const FAILED_MS = 60_000

/** How long a forwarder counts after its last announcement, and a failure after the last report of it. */
type Times = { announcedMs?: number; failedMs?: number }

/** The known ways in from outside. */
export function createPublished({ announcedMs = ANNOUNCED_MS, failedMs = FAILED_MS }: Times = {}) {
  let ranges: PublishedPorts | undefined
  const changes = createChanges()
  const forwarders = createFading<Publication>(announcedMs, changes.tell)
  const failures = createFading<PublishFailure>(failedMs, changes.tell)

  return {
    /** Takes what `PUBLISHED_PORTS` says; undefined: nothing is in between. */
    configure(published: PublishedPorts | undefined): void {
      ranges = published
      changes.tell()
    },

    /** Whether nothing is in between: then nobody forwards either. */
    get isDirect(): boolean {
      return ranges === undefined
    },

    /** Whether it is known what the container itself publishes. Only there a forwarder's word about addresses is taken. */
    get isMapped(): boolean {
      return ranges !== undefined && ranges !== 'unknown'
    },

    /** Records that a forwarder publishes a port. */
    announce({ port, address, hostPort }: Omit<Publication, 'by'>): void {
      failures.drop(String(port))
      forwarders.keep(`${port} ${address} ${hostPort}`, { port, by: 'forwarder', address, hostPort })
    },

    /** Records that a port could not be published. */
    announceFailure(failure: PublishFailure): void {
      failures.keep(String(failure.port), failure)
    },

    /** How these ports are reached, and what forwarders there are besides. */
    reach(ports: Iterable<number>): Reach {
      if (ranges === undefined) return { kind: 'direct' }
      const told = { publications: forwarders.all().sort((a, b) => a.port - b.port || a.hostPort - b.hostPort), failures: failures.all() }
      if (ranges !== 'unknown') {
        const own = [...new Set(ports)].flatMap((port) => publishedBy(ranges as readonly PublishedRange[], port))
        return { kind: 'mapped', ...told, publications: [...own, ...told.publications] }
      }
      return told.publications.length + told.failures.length === 0 ? { kind: 'unknown' } : { kind: 'mapped', partial: true, ...told }
    },

    /** Calls back whenever a way in is added or removed. Returns a function that stops it. */
    follow: changes.follow,
  }
}

export type Published = ReturnType<typeof createPublished>

function publishedBy(ranges: readonly PublishedRange[], port: number): Publication[] {
  return ranges
    .filter(({ first, last }) => port >= first && port <= last)
    .map(({ address }) => ({ port, by: 'range', address, hostPort: port }))
}

/** Entries that go when nobody says them again in time. */
function createFading<T extends object>(lifeMs: number, onChange: () => void) {
  const entries = new Map<string, { value: T; timer: NodeJS.Timeout }>()

  function drop(key: string): void {
    const entry = entries.get(key)
    if (!entry) return
    clearTimeout(entry.timer)
    entries.delete(key)
    onChange()
  }

  return {
    keep(key: string, value: T): void {
      const before = entries.get(key)
      clearTimeout(before?.timer)
      if (!before && entries.size >= MAX_KEPT) drop(entries.keys().next().value!)
      // The one that was silent for longest stands first.
      entries.delete(key)
      entries.set(key, { value, timer: setTimeout(() => drop(key), lifeMs).unref() })
      if (JSON.stringify(before?.value) !== JSON.stringify(value)) onChange()
    },
    drop,
    all: (): T[] => [...entries.values()].map(({ value }) => value),
  }
}
