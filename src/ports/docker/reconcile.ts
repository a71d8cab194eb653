// What has to be done so that forwarders equal listeners. Pure: the same answer for everybody who sees the same.
import type { ListenerFact, PortsSnapshot } from '../shared/facts.ts'
import { isLoopback } from '../../text/address.ts'
import type { Forwarder } from './forwarders.ts'
import type { ForwarderSpec } from './labels.ts'
import { denialOf, type Policy } from './policy.ts'
import type { NodeRed } from './project.ts'

export type Action =
  | { kind: 'create'; spec: ForwarderSpec }
  | { kind: 'start'; forwarder: Forwarder }
  | { kind: 'remove'; forwarder: Forwarder }
  /** It does not lead to Node-RED any more: taken away, then made anew. */
  | { kind: 'replace'; forwarder: Forwarder; spec: ForwarderSpec }

/** A port that would be published, but may not be. */
export type Denial = { port: number; hostPort: number; detail: string }

type Situation = {
  snapshot: PortsSnapshot
  nodeRed: Pick<NodeRed, 'published' | 'networks' | 'bind' | 'direct'>
  forwarders: readonly Forwarder[]
  /** What people have published: it is brought back when it is not there. */
  kept?: readonly ForwarderSpec[]
}

const ENDED = new Set(['created', 'exited', 'dead'])

/**
 * Compares listeners with forwarders. Only those that watch has started are taken away, and only when the flows run and nobody
 * listens any more: while they start, what is missing may still come.
 */
export function reconcile(
  { snapshot, nodeRed, forwarders, kept = [] }: Situation,
  policy: Policy,
): { actions: Action[]; denials: Denial[] } {
  if (nodeRed.direct) return { actions: [], denials: [] }
  const wanted = snapshot.listeners.filter((listener) => needsForwarder(listener, nodeRed))
  const byPort = new Map(forwarders.map((forwarder) => [forwarder.port, forwarder]))
  const lost = kept.filter(({ port }) => !byPort.has(port) && nodeRed.published.every((publication) => publication.port !== port))
  const lostPorts = new Set(lost.map(({ port }) => port))
  const actions: Action[] = lost.map((spec) => ({ kind: 'create', spec }))
  const denials: Denial[] = []
  let room = policy.max - forwarders.filter(({ origin }) => origin === 'watch').length
  for (const listener of wanted) {
    const forwarder = byPort.get(listener.port)
    if (forwarder) {
      actions.push(...repair(forwarder, nodeRed))
      continue
    }
    if (lostPorts.has(listener.port)) continue
    const spec = specOf(listener.port, policy.bind ?? nodeRed.bind)
    const detail = denialOf(listener.port, policy) ?? (room > 0 ? undefined : `watch has its ${policy.max} forwarders: --max allows more`)
    if (detail !== undefined) denials.push({ port: spec.port, hostPort: spec.hostPort, detail })
    else {
      room -= 1
      actions.push({ kind: 'create', spec })
    }
  }
  const ports = new Set(wanted.map(({ port }) => port))
  if (snapshot.flows === 'started') {
    const idle = forwarders.filter(({ port, origin }) => origin === 'watch' && !ports.has(port))
    actions.push(...idle.map((forwarder) => ({ kind: 'remove' as const, forwarder })))
  }
  return { actions, denials }
}

function needsForwarder({ role, state, address, port }: ListenerFact, { published }: Pick<NodeRed, 'published'>): boolean {
  return role === 'flow' && state === 'listening' && !isLoopback(address) && published.every((publication) => publication.port !== port)
}

function specOf(port: number, bind: string): ForwarderSpec {
  return { port, hostPort: port, bind, origin: 'watch' }
}

/** Another address or host port is no fault: somebody wanted it so. A network that Node-RED has left is one. */
function repair(forwarder: Forwarder, { networks }: Pick<NodeRed, 'networks'>): Action[] {
  const cutOff = forwarder.state === 'running' && !networks.some(({ id }) => forwarder.networks.includes(id))
  if (cutOff) {
    const { port, hostPort, bind, origin } = forwarder
    return [{ kind: 'replace', forwarder, spec: { port, hostPort, bind, origin } }]
  }
  return ENDED.has(forwarder.state) ? [{ kind: 'start', forwarder }] : []
}
