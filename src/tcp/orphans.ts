// Restarting flows are back sooner; a node that is not back by then has gone.
const ADOPTION_LIMIT_MS = 20_000

/** What nodes that were stopped leave behind, until their next instances take it over. */
export type Orphans<Key, Orphan> = {
  /** Keeps an orphan for a limited time; it ends if nobody takes it. */
  add: (key: Key, orphan: Orphan) => void
  /** Takes an orphan out. */
  take: (key: Key) => Orphan | undefined
  has: (key: Key) => boolean
}

/** Makes lists of orphans, and ends them all at once. */
export type OrphanLists = {
  /** A list of its own; `end` is what becomes of an orphan that nobody takes. */
  open: <Key, Orphan>(end: (orphan: Orphan) => void) => Orphans<Key, Orphan>
  /** Ends all orphans: whoever could have taken them is there by now. */
  end: () => void
}

export function createOrphanLists(): OrphanLists {
  const ends = new Set<() => void>()
  return {
    open<Key, Orphan>(end: (orphan: Orphan) => void) {
      const { orphans, endAll } = createOrphans<Key, Orphan>(end)
      ends.add(endAll)
      return orphans
    },
    end() {
      for (const endAll of ends) endAll()
    },
  }
}

function createOrphans<Key, Orphan>(end: (orphan: Orphan) => void): { orphans: Orphans<Key, Orphan>; endAll: () => void } {
  const waiting = new Map<Key, { orphan: Orphan; timer: NodeJS.Timeout }>()
  const take = (key: Key): Orphan | undefined => {
    const found = waiting.get(key)
    if (!found) return undefined
    clearTimeout(found.timer)
    waiting.delete(key)
    return found.orphan
  }
  const giveUp = (key: Key) => {
    const orphan = take(key)
    if (orphan !== undefined) end(orphan)
  }
  return {
    orphans: {
      add(key, orphan) {
        giveUp(key)
        waiting.set(key, { orphan, timer: setTimeout(() => giveUp(key), ADOPTION_LIMIT_MS).unref() })
      },
      take,
      has: (key) => waiting.has(key),
    },
    endAll() {
      for (const key of [...waiting.keys()]) giveUp(key)
    },
  }
}
