// When flows stop, and when they run again, by Node-RED's events.
import type { NodeRed } from './node-red.ts'

const DEFAULT_CLOSE_TIMEOUT_MS = 15_000
// How long a start may take beyond the time that nodes have to close.
const START_TIME_MS = 5_000

/** How a deploy ended: flows run, or are stopped for good, or neither came in time, as when a node type is missing. */
export type DeployEnd = 'started' | 'stopped' | 'failed'

type Stopping = { diff?: { removed?: string[] } }
type RuntimeEvent = { id: string; payload?: { state?: string; error?: string; deploy?: boolean } }

type Follower = {
  onStopping: (removed: readonly string[]) => void
  /** Nodes are about to be made, after a stop or without one. */
  onStarting: () => void
  onEnd: (end: DeployEnd) => void
}

let starting = false
let waiting: (() => void)[] = []
const everyEnd = new Set<() => void>()

/** Calls back once the nodes that are made now can be reached, Catch and Status nodes among them; at once when none are made. */
export function onceStarted(callback: () => void): void {
  if (starting) waiting.push(callback)
  else callback()
}

/** Calls back at the end of every deploy, however it ends. */
export function afterDeploys(callback: () => void): void {
  everyEnd.add(callback)
}

/**
 * Follows Node-RED's deploys. A start can end without a word of its own, so there is a limit; one deploy can begin before the start of the
 * one before has ended, so ends are counted.
 */
export function followDeploys({ events, settings }: NodeRed, follower: Follower): void {
  if (!events) return
  const limitMs = (settings.nodeCloseTimeout ?? DEFAULT_CLOSE_TIMEOUT_MS) + START_TIME_MS
  let open = 0
  let stopTold = true
  let limit: NodeJS.Timeout | undefined

  function end(how: DeployEnd): void {
    open = Math.max(0, open - 1)
    if (open > 0) return
    clearTimeout(limit)
    starting = false
    const callbacks = waiting
    waiting = []
    for (const callback of [...callbacks, ...everyEnd]) callback()
    follower.onEnd(how)
  }

  events.on('flows:stopping', ({ diff }: Stopping) => {
    open += 1
    clearTimeout(limit)
    limit = setTimeout(() => {
      open = 0
      end('failed')
    }, limitMs).unref()
    follower.onStopping(diff?.removed ?? [])
  })
  events.on('flows:stopped', () => (stopTold = false))
  events.on('flows:starting', () => {
    starting = true
    follower.onStarting()
  })
  events.on('flows:started', () => end('started'))
  events.on('runtime-event', ({ id, payload }: RuntimeEvent) => {
    if (id !== 'runtime-state' || payload?.state === undefined || open === 0) return
    // Why a start has ended before it made a node: missing types or modules, or safe mode.
    if (payload.error !== undefined) return end('failed')
    if (payload.state !== 'stop') return
    // Told once by the stop of a deploy; again, or by a stop that is no deploy's, it says that flows are to stay stopped.
    const again = stopTold
    stopTold = true
    if (again || !payload.deploy) end('stopped')
  })
}
