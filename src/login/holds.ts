// The longest delay of a Node.js timer.
const MAX_TIMER_MS = 2 ** 31 - 1

type Held = { ends: Set<() => void>; timer: NodeJS.Timeout }

/** What lives by a session, such as a WebSocket, and ends with it. */
export type Holds = {
  /** Calls `end` when the session ends or `expiry` has come, unless the returned function was called before. */
  add: (session: string, expiry: number, end: () => void) => () => void
  end: (session: string) => void
}

export function createHolds(): Holds {
  const all = new Map<string, Held>()

  function end(session: string): void {
    const held = all.get(session)
    if (!held) return
    all.delete(session)
    clearTimeout(held.timer)
    for (const stop of held.ends) stop()
  }

  return {
    add(session, expiry, stop) {
      const held = all.get(session) ?? {
        ends: new Set(),
        timer: setTimeout(() => end(session), Math.min(expiry - Date.now(), MAX_TIMER_MS)).unref(),
      }
      all.set(session, held)
      held.ends.add(stop)
      return () => {
        if (!held.ends.delete(stop) || held.ends.size > 0 || all.get(session) !== held) return
        clearTimeout(held.timer)
        all.delete(session)
      }
    },
    end,
  }
}
