// Flows that restart are back sooner; who does not come back by then has gone.
const ADOPTION_LIMIT_MS = 20_000

/** What nodes that were stopped leave behind, until their next instances take it over. */
export type Orphans<Key, Orphan> = {
  /** Keeps an orphan for a time; nobody takes it: it ends. */
  add: (key: Key, orphan: Orphan) => void
  /** Gives an orphan to whoever comes for it. */
  take: (key: Key) => Orphan | undefined
  has: (key: Key) => boolean
}

const lists = new Set<() => void>()

/** A list of orphans; `end` is what becomes of one that nobody takes. */
export function createOrphans<Key, Orphan>(end: (orphan: Orphan) => void): Orphans<Key, Orphan> {
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
  lists.add(() => {
    for (const key of [...waiting.keys()]) giveUp(key)
  })
  return {
    add(key, orphan) {
      giveUp(key)
      waiting.set(key, { orphan, timer: setTimeout(() => giveUp(key), ADOPTION_LIMIT_MS).unref() })
    },
    take,
    has: (key) => waiting.has(key),
  }
}

/** Ends all orphans: whoever could have taken them is there by now. */
export function endOrphans(): void {
  for (const endAll of lists) endAll()
}
