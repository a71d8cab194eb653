import type { PortRow, Problem } from '../../ports/shared/diagnosis.ts'

const UNPUBLISHED = new Set(['NOT_PUBLISHED', 'HOST_PORT_TAKEN', 'PUBLISH_REFUSED'])

type Options = {
  /** How long automatic publishing may take, in milliseconds; 0 when there is none. */
  graceMs: () => number
  tell: (problems: Problem[]) => void
}

/** Finds the ports that a deploy has opened and that nobody outside reaches. Each is told of once for a deploy, and none before the first. */
export function createNewcomers({ graceMs, tell }: Options) {
  let before: ReadonlySet<number> | undefined
  let rows: readonly PortRow[] = []
  /** When a port was first seen; undefined once it was reported. */
  const seen = new Map<number, number | undefined>()
  let timer: NodeJS.Timeout | undefined

  function look(): void {
    clearTimeout(timer)
    if (before === undefined) return
    const now = Date.now()
    const due: Problem[] = []
    let next = Infinity
    for (const { port, problem } of newProblems(rows, before)) {
      if (!seen.has(port)) seen.set(port, now)
      const since = seen.get(port)
      if (since === undefined) continue
      // With a reason there is nothing to wait for.
      const left = problem.code === 'NOT_PUBLISHED' ? since + graceMs() - now : 0
      if (left > 0) next = Math.min(next, left)
      else {
        seen.set(port, undefined)
        due.push(problem)
      }
    }
    if (due.length > 0) tell(due)
    if (next < Infinity) timer = setTimeout(look, next).unref()
  }

  return {
    /** A deploy has begun. */
    startDeploy(): void {
      before = new Set(rows.filter(({ state }) => state === 'listening').map(({ port }) => port))
      seen.clear()
    },
    /** The ports as they are now. */
    look(now: readonly PortRow[]): void {
      rows = now
      look()
    },
  }
}

function newProblems(rows: readonly PortRow[], before: ReadonlySet<number>): { port: number; problem: Problem }[] {
  return rows
    .filter(({ port, state }) => state === 'listening' && !before.has(port))
    .flatMap(({ port, problems }) => problems.filter(({ code }) => UNPUBLISHED.has(code)).map((problem) => ({ port, problem })))
}
