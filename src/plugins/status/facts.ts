import type { ClientFact, ListenerFact, UsedBy } from '../../ports/shared/facts.ts'
import { findListeningProcess } from '../../ports/processes.ts'
import type { ProcessState } from '../../process/state.ts'
import type { Claim } from '../../tcp/claims.ts'
import { certificateFault } from '../../tcp/certificate.ts'
import { systemCodeOf, type TcpError } from '../../tcp/errors.ts'
import type { Listener } from '../../tcp/listener.ts'
import type { ListenFailure, Observer } from '../../tcp/observer.ts'
import type { About } from '../../tcp/session.ts'
import type { NodeRed } from '../node-red.ts'
import { declaredListeners, flowLabels, startErrorOf, type DeclaredListener } from './declared-listeners.ts'
import { editorCertificateFault } from './editor-certificate.ts'

const PROCESS_KNOWN_MS = 10_000
const MAX_PROCESSES_KNOWN = 100
const processes = new Map<number, { holder: string | undefined; at: number }>()

/** Where facts come from. `statusPort` is undefined until the status server listens. */
export type Source = { RED: NodeRed; observer: Observer; statusPort: number | undefined; state: ProcessState }

/** A fact with what only `/listeners` tells of it. `listener`: where it is one of the tcp nodes'. */
export type FoundListener = { fact: ListenerFact; since: number | undefined; listener: Listener | undefined }

/** Every TCP port that the process listens on, whoever does, and every one where listening failed, with the nodes that use it. */
export function findListeners(source: Source): FoundListener[] {
  const labels = flowLabels(source.RED)
  const failed = failedClaims(source.state.engine.claims.listening(), labels)
  const failing = new Set([...failed.values()].flatMap(({ declaredBy }) => declaredBy.map(({ node }) => node)))
  const notFailing = declaredListeners(source.RED).filter(({ node }) => !failing.has(node))
  const broken = startFailures(source.RED, notFailing)
  const declared = notFailing.filter(({ node }) => !broken.has(node))
  const bound = boundListeners(source, { labels, declared })
  const others = otherFailures(source)
  const holder = (port: number) => holderAmong(bound, port)
  return [
    ...bound,
    ...[...failed.values(), ...broken.values(), ...badPorts(declared)].map((fact) => ({
      fact: named(fact, holder),
      since: undefined,
      listener: undefined,
    })),
    ...others.map(({ port, code, message, at, opener }) => ({
      fact: named(
        {
          port,
          state: 'failed',
          role: 'flow',
          error: { code, message },
          declaredBy: opener ? [usedBy(opener, labels)] : declaredAt(port, declared),
        },
        holder,
      ),
      since: at,
      listener: undefined,
    })),
  ]
}

/** Who has a port that somebody else wants: a listener of this process, else another process of this machine. */
export function findHolder(source: Source, port: number): string | undefined {
  const labels = flowLabels(source.RED)
  return holderAmong(boundListeners(source, { labels, declared: declaredListeners(source.RED) }), port)
}

function holderAmong(bound: readonly FoundListener[], port: number): string | undefined {
  const fact = bound.find((found) => found.fact.port === port)?.fact
  if (fact === undefined) return processWith(port)
  if (fact.role !== 'flow') return fact.role
  const [user] = fact.declaredBy
  return user ? describeUser(user) : 'another part of this process'
}

/** Slow on a machine with many processes. */
function processWith(port: number): string | undefined {
  const known = processes.get(port)
  if (known && known.at > Date.now() - PROCESS_KNOWN_MS) return known.holder
  if (processes.size >= MAX_PROCESSES_KNOWN) processes.clear()
  const holder = findListeningProcess({ address: '', hostPort: port })
  processes.set(port, { holder, at: Date.now() })
  return holder
}

function named(fact: ListenerFact, holderOf: (port: number) => string | undefined): ListenerFact {
  const { error, port } = fact
  const holder = error?.code === 'EADDRINUSE' ? holderOf(port) : undefined
  return error && holder !== undefined ? { ...fact, error: { ...error, holder } } : fact
}

/** Failures of nodes that are not ours; failures of ours are in their claims. */
export function otherFailures({ observer, state }: Pick<Source, 'observer' | 'state'>): ListenFailure[] {
  const ours = new Set(state.engine.claims.listening().map(({ about }) => about.node))
  return observer.listenFailures().filter(({ opener }) => opener === undefined || !ours.has(opener.node))
}

/** A node in words. */
export function describeUser({ type, name, node, flow }: UsedBy): string {
  return `${type} "${name || node}"${flow === '' ? '' : ` on "${flow}"`}`
}

/** Every connection that a tcp node makes. */
export function findClients({ RED, state: { engine } }: Pick<Source, 'RED' | 'state'>): ClientFact[] {
  const labels = flowLabels(RED)
  return engine.claims.calling().map(({ about, host, port, state }) => ({
    host,
    port,
    // A peer that has ended as it should is dialled again at once: no fault to report.
    state: state.kind === 'waiting' && !state.error ? 'connecting' : state.kind,
    ...(state.kind === 'waiting' && state.error ? failureOf(state.error) : {}),
    ...(isToAssistant(RED, { host, port }) ? { isToAssistant: true as const } : {}),
    usedBy: usedBy(about, labels),
  }))
}

function failureOf(error: TcpError): Pick<ClientFact, 'error' | 'code'> {
  const code = systemCodeOf(error)
  return { error: error.message, ...(code === undefined ? {} : { code }) }
}

/** Where the scenarios connect by default. */
function isToAssistant({ settings }: NodeRed, { host, port }: { host: string; port: number }): boolean {
  const environment = settings.distribution?.environment
  if (!environment || host !== environment.ASSISTANT_HOST) return false
  return port === environment.TCP_IN_CLIENT_PORT || port === environment.TCP_OUT_CLIENT_PORT
}

function boundListeners(
  { RED, observer, statusPort, state: { engine, published } }: Source,
  { labels, declared }: { labels: Map<string, string>; declared: DeclaredListener[] },
): FoundListener[] {
  const editorPort = portOf(RED.server.address())
  const ours = new Map(engine.allListeners().map((listener) => [boundKey(listener), listener]))
  return observer.listeners().map(({ address, port, since, sessions, opener }) => {
    const listener = ours.get(`${address} ${port}`)
    const declaredBy = declaredAt(port, declared)
    const about = listener?.currentOwner?.about
    // Inside a subflow: no tab declares it.
    if (about && declaredBy.every(({ node }) => node !== about.node)) declaredBy.push(usedBy(about, labels))
    // Of another kind: no tab says that it listens.
    if (!listener && opener) declaredBy.splice(0, declaredBy.length, usedBy(opener, labels))
    const tls = listener?.place.tls
    const certificate = tls ? certificateFault(tls) : port === editorPort ? editorCertificateFault(RED) : undefined
    return {
      fact: {
        port,
        state: 'listening',
        role: port === editorPort ? 'editor' : port === statusPort ? 'status' : 'flow',
        address,
        sessions,
        ...(listener ? { clients: listener.sessions.size, proxy: published.isMapped } : {}),
        ...(certificate ? { certificate } : {}),
        declaredBy,
      },
      since,
      listener,
    }
  })
}

function portOf(address: ReturnType<NodeRed['server']['address']>): number | undefined {
  return typeof address === 'object' ? address?.port : undefined
}

function boundKey({ currentState }: Listener): string {
  return currentState?.kind === 'listening' ? `${currentState.address} ${currentState.port}` : ''
}

/** Nodes of ours that cannot listen, although another may on the same port. */
function failedClaims(claims: readonly Claim[], labels: Map<string, string>): Map<number, ListenerFact> {
  const found = new Map<number, ListenerFact>()
  for (const { about, port, state } of claims) {
    if (state?.kind !== 'failed') continue
    const known = found.get(port)
    if (known) known.declaredBy.push(usedBy(about, labels))
    else {
      const error = { code: errnoOf(state.error), message: state.error.message }
      found.set(port, { port, state: 'failed', role: 'flow', error, declaredBy: [usedBy(about, labels)] })
    }
  }
  return found
}

/** Nodes that never began to listen, for example because certificate and key do not match. */
function startFailures(RED: NodeRed, declared: DeclaredListener[]): Map<string, ListenerFact> {
  const found = new Map<string, ListenerFact>()
  for (const { node, type, name, flow, port, configured } of declared) {
    const message = startErrorOf(RED, node)
    if (message === undefined) continue
    const declaredBy = [{ node, type, name, flow }]
    found.set(node, {
      port: port ?? numberOf(configured),
      state: 'failed',
      role: 'flow',
      error: { code: 'ERR_NODE_START', message },
      declaredBy,
    })
  }
  return found
}

/** Nodes whose port is not one: a number such as 70000, or other text. */
function badPorts(declared: DeclaredListener[]): ListenerFact[] {
  return declared
    .filter(({ port, isRunning }) => port === undefined && isRunning)
    .map(({ configured, node, type, name, flow }) => ({
      port: numberOf(configured),
      state: 'failed',
      role: 'flow',
      error: { code: 'ERR_SOCKET_BAD_PORT', message: `"${configured}" is not a port number from 1 to 65535` },
      declaredBy: [{ node, type, name, flow }],
    }))
}

/** The number nearest to what was set as a port. */
function numberOf(configured: string): number {
  return Math.trunc(Number(configured)) || 0
}

/** Without a cause, it is another node of these flows that has the port. */
function errnoOf(error: TcpError): string {
  return systemCodeOf(error) ?? 'EADDRINUSE'
}

function declaredAt(port: number, declared: DeclaredListener[]): UsedBy[] {
  return declared.filter((entry) => entry.port === port).map(({ node, type, name, flow }) => ({ node, type, name, flow }))
}

function usedBy(about: About, labels: Map<string, string>): UsedBy {
  return { ...about, flow: labels.get(about.flow) ?? about.flow }
}
