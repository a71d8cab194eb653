// Keeps forwarders equal to listeners, from whatever state it finds, until it is told to end.
import { setTimeout as sleep } from 'node:timers/promises'
import type { PortsSnapshot } from '../shared/facts.ts'
import { openEngine, type Engine } from './docker.ts'
import { DockerUnavailable, PortsError, ProjectUnavailable } from './errors.ts'
import { followEvents } from './events.ts'
import { listForwarders } from './forwarders.ts'
import type { Policy } from './policy.ts'
import { readNodeRed, type NodeRed } from './project.ts'
import { createPublisher } from './publisher.ts'
import { reconcile } from './reconcile.ts'
import { followSnapshots } from './status.ts'
import { createAlarm } from './alarm.ts'
import { createKept } from './kept.ts'

// A deploy stops one listener and starts the next: that is one change.
const DEBOUNCE_MS = 50
// The engine tells that a container has ended a little before its list of containers does.
const AFTER_END_MS = 400
// For whatever tells nobody: a process that has let go of a host port.
const TICK_MS = 10_000
const RECONNECT_FIRST_MS = 250
const RECONNECT_LONGEST_MS = 2_000

export type WatchOptions = {
  project: string
  /** Where the status port is; undefined: where Docker says that it is published. */
  statusUrl: string | undefined
  policy: Policy
  log: (message: string) => void
  signal: AbortSignal
}

/**
 * Publishes every port that a flow listens on and that nothing else publishes, and closes those that nobody listens on any more, until
 * `signal` is aborted. Forwarders stay then: another watch takes them over. That Docker or Node-RED are away is said once and waited out.
 */
export async function watch(options: WatchOptions): Promise<void> {
  const { project, policy, log, signal } = options
  const publisher = createPublisher(log)
  const trouble = createTrouble(log)
  const alarm = createAlarm(signal)
  const kept = createKept()
  let snapshot: PortsSnapshot | undefined
  let engine: Engine | undefined

  async function useEngine(): Promise<Engine> {
    return (engine ??= await openEngine())
  }

  async function followNodeRed(): Promise<void> {
    const statusUrl = options.statusUrl ?? (await findStatusUrl(await useEngine(), project))
    try {
      await followSnapshots(statusUrl, {
        signal,
        onSnapshot(now) {
          snapshot = now
          trouble.over('Node-RED')
          alarm.ring(DEBOUNCE_MS)
        },
      })
      throw new Error('the connection was closed')
    } catch (error) {
      if (error instanceof PortsError) throw error
      throw new ProjectUnavailable(`Node-RED does not answer at ${statusUrl} (${reasonOf(error)}); its forwarders stay as they are`)
    } finally {
      // Never act on what is not known.
      snapshot = undefined
    }
  }

  async function followDocker(): Promise<void> {
    await followEvents(await useEngine(), {
      signal,
      onOpen() {
        trouble.over('Docker')
        // Somebody may have unpublished them while nobody listened.
        kept.forgetAll()
        alarm.ring(DEBOUNCE_MS)
      },
      onEvent(event) {
        if (event.project !== project && publisher.failed.size === 0) return
        if (event.project === project && event.retired !== undefined) kept.forget(event.retired)
        // Somebody has let go of something, which may be the host port.
        if (event.ended) {
          publisher.failed.retryNow()
          alarm.ringAgain(AFTER_END_MS)
        }
        alarm.ring(DEBOUNCE_MS)
      },
    })
  }

  async function reconcileOnce(): Promise<void> {
    const docker = await useEngine()
    const nodeRed = await findNodeRed(docker)
    const known = snapshot
    if (!known || !nodeRed?.running) return
    const forwarders = await listForwarders(docker, project)
    kept.see(forwarders)
    const statusUrl = options.statusUrl ?? nodeRed.statusUrl
    await publisher.apply(
      { engine: docker, nodeRed, statusUrl },
      reconcile({ snapshot: known, nodeRed, forwarders, kept: kept.all() }, policy),
    )
  }

  /** Undefined: the project is down, and with it goes what people have published. */
  async function findNodeRed(docker: Engine): Promise<NodeRed | undefined> {
    try {
      return await readNodeRed(docker, project)
    } catch (error) {
      if (!(error instanceof ProjectUnavailable)) throw error
      kept.forgetAll()
      // Without a snapshot, the one who waits for it has said so.
      if (snapshot) throw error
      return undefined
    }
  }

  async function work(): Promise<void> {
    while (!signal.aborted) {
      await alarm.wait(Math.min(TICK_MS, publisher.failed.nextDueMs() ?? TICK_MS))
      if (signal.aborted) return
      await reconcileOnce().catch((error: unknown) => trouble.say(error))
    }
  }

  await Promise.all([work(), keepTrying(followNodeRed, { signal, trouble }), keepTrying(followDocker, { signal, trouble })])
}

async function findStatusUrl(engine: Engine, project: string): Promise<string> {
  const { statusUrl, running, name } = await readNodeRed(engine, project)
  if (!running) throw new ProjectUnavailable(`Node-RED's container ${name} does not run; waiting for it`)
  if (statusUrl === undefined) throw new ProjectUnavailable(`${name} does not publish its status port 1881: --status says where it is`)
  return statusUrl
}

type Trouble = ReturnType<typeof createTrouble>

/** Logs a problem once, and when it is over. */
function createTrouble(log: (message: string) => void) {
  const current = new Map<'Docker' | 'Node-RED', string>()
  return {
    say(error: unknown): void {
      const { message } = error as Error
      const who = error instanceof DockerUnavailable ? 'Docker' : 'Node-RED'
      if (current.get(who) === message) return
      current.set(who, message)
      log(message)
    },
    over(who: 'Docker' | 'Node-RED'): void {
      if (current.delete(who)) log(`${who} answers again`)
    },
  }
}

/** Starts again what has ended, after a while that grows while it ends at once. */
async function keepTrying(follow: () => Promise<void>, { signal, trouble }: { signal: AbortSignal; trouble: Trouble }): Promise<void> {
  let pauseMs = RECONNECT_FIRST_MS
  while (!signal.aborted) {
    const started = performance.now()
    await follow().catch((error: unknown) => {
      if (!signal.aborted) trouble.say(error)
    })
    pauseMs = performance.now() - started > RECONNECT_LONGEST_MS ? RECONNECT_FIRST_MS : Math.min(pauseMs * 2, RECONNECT_LONGEST_MS)
    await sleep(pauseMs, undefined, { signal }).catch(() => {})
  }
}

function reasonOf(error: unknown): string {
  const { message, cause } = error as Error
  return cause instanceof Error ? cause.message || ((cause as NodeJS.ErrnoException).code ?? message) : message
}
