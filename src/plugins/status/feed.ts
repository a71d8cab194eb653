// The one place that knows what is listened on and connected to: the status port and the editor's sidebar both take it from here.
import type { ListenerFact, PortsSnapshot } from '../../ports/shared/facts.ts'
import type { ProcessState } from '../../process/state.ts'
import { createObserver, type Observer } from '../../tcp/observer.ts'
import type { NodeRed } from '../node-red.ts'
import { findClients, findHolder, findListeners, type FoundListener, type Source } from './facts.ts'
import { followFlows, type FlowState } from './flow-state.ts'
import { currentOpener, followOpeners } from './openers.ts'
import type { Stream } from './stream.ts'

const DEBOUNCE_MS = 20
const COUNTS_MS = 1_000
const FLOW_EVENTS = ['flows:starting', 'flows:started', 'flows:stopped']

type Follower = (snapshot: PortsSnapshot) => void

export type Feed = {
  source: Source
  observer: Observer
  flows: FlowState
  /** The port of the status server, once it listens. */
  setStatusPort: (port: number) => void
  listeners: () => FoundListener[]
  snapshot: () => PortsSnapshot
  /** Calls back at every change. Returns a function that stops it. `counts`: include changes of numbers only. */
  follow: (follower: Follower, options?: { counts?: boolean }) => () => void
  /** How many streams are open: a watcher that publishes ports may be behind one. */
  streams: Set<Stream>
}

let feed: Feed | undefined

/** The feed of this process, opened by the plugin that comes first. */
export function openFeed(RED: NodeRed, state: ProcessState): Feed {
  return (feed ??= createFeed(RED, state))
}

function createFeed(RED: NodeRed, state: ProcessState): Feed {
  followOpeners()
  const observer = createObserver({ openerNow: currentOpener })
  const flows = followFlows(RED, () => observer.forgetListenFailures())
  const source: Source = { RED, observer, statusPort: undefined, state }
  state.holders.askAt((port) => findHolder(source, port))
  const followers = new Map<Follower, { counts: boolean }>()
  let told = ''
  let pending: NodeJS.Timeout | undefined
  let ticking: NodeJS.Timeout | undefined

  const listeners = () => findListeners(source)
  const snapshot = (): PortsSnapshot => ({
    flows: flows.phase(),
    listeners: listeners().map(({ fact }) => (fact.role === 'flow' ? fact : withoutSessions(fact))),
    clients: findClients(source),
  })

  function tell(): void {
    clearTimeout(pending)
    pending = undefined
    if (followers.size === 0) return
    const now = snapshot()
    const text = JSON.stringify(now)
    if (text === told) return
    told = text
    for (const follower of [...followers.keys()]) follower(now)
  }

  // A deploy changes many things at once.
  function changed(): void {
    pending ??= setTimeout(tell, DEBOUNCE_MS).unref()
  }

  function tick(): void {
    const wanted = [...followers.values()].some(({ counts }) => counts)
    if (wanted) ticking ??= setInterval(tell, COUNTS_MS).unref()
    else ticking = void clearInterval(ticking)
  }

  observer.followListeners(changed)
  state.engine.claims.follow(changed)
  for (const event of FLOW_EVENTS) RED.events.on(event, changed)

  return {
    source,
    observer,
    flows,
    setStatusPort(port) {
      source.statusPort = port
      changed()
    },
    listeners,
    snapshot,
    follow(follower, { counts = false } = {}) {
      followers.set(follower, { counts })
      tick()
      return () => {
        followers.delete(follower)
        tick()
      }
    },
    streams: new Set(),
  }
}

/** Viewers of the editor or the status are not worth an event. */
function withoutSessions({ sessions: _sessions, ...fact }: ListenerFact): ListenerFact {
  return fact
}
