import { isLoopback } from '../../text/address.ts'
import type { ClientFact, ListenerFact, PortsSnapshot, Publication, PublishFailure, Reach, UsedBy } from './facts.ts'
import { isOutside } from './holders.ts'

export type ProblemCode =
  | 'LISTEN_FAILED'
  | 'NOT_PUBLISHED'
  | 'HOST_PORT_TAKEN'
  | 'PUBLISH_REFUSED'
  | 'NOTHING_LISTENS'
  | 'LOOPBACK_INSIDE'
  | 'LOOPBACK_ONLY'
  | 'NO_ANSWER'
  | 'CERTIFICATE'

/**
 * Something to mend. `params` fill the texts of `code`; `fix` is a command, a line of .env, or a setting of a node. `isNote`: nothing is
 * wrong, and it is good to know.
 */
export type Problem = { code: ProblemCode; params: Record<string, string | number>; fix: string; isNote?: true }

/** One row a port: `listener` for a port of Node-RED's, `client` for a connection that a flow makes. */
export type PortRow = {
  kind: 'listener' | 'client'
  port: number
  /** Of a client: where it connects to. */
  host?: string
  declaredBy: UsedBy[]
  state: 'listening' | 'failed' | 'nothing' | ClientFact['state']
  /** The bound address of a listener. */
  address?: string
  published: Publication[]
  clients: number
  problems: Problem[]
}

const COMMAND = 'npm run ports --'

/**
 * Every port of the flows, what became of it, and what mends it. The status port is nobody's concern here, and the editor's is with its
 * certificate only.
 */
export function diagnose({ listeners, clients }: PortsSnapshot, reach: Reach): PortRow[] {
  const flows = listeners.filter(({ role, certificate }) => role === 'flow' || (role === 'editor' && certificate !== undefined))
  const rows = flows.map((listener) => listenerRow(listener, reach))
  const known = new Set(listeners.map(({ port }) => port))
  const idle = forwardersOf(reach).filter(({ port }) => !known.has(port))
  return [...rows, ...idle.map(idleRow), ...clients.map((client) => clientRow(client, reach))].sort(
    (a, b) => a.kind.localeCompare(b.kind) * -1 || a.port - b.port,
  )
}

/** Whether something needs mending. */
export function needsMending(rows: readonly PortRow[]): boolean {
  return rows.some(({ problems }) => problems.some(({ isNote }) => !isNote))
}

function listenerRow(listener: ListenerFact, reach: Reach): PortRow {
  const { port, state, address, declaredBy } = listener
  const published = reach.kind === 'mapped' ? reach.publications.filter((publication) => publication.port === port) : []
  return {
    kind: 'listener',
    port,
    declaredBy,
    state,
    ...(address === undefined ? {} : { address }),
    published,
    clients: listener.clients ?? listener.sessions ?? 0,
    problems: listenerProblems(listener, reach, published),
  }
}

function listenerProblems(listener: ListenerFact, reach: Reach, published: Publication[]): Problem[] {
  const { state, role } = listener
  if (state === 'failed') return [listenFailure(listener)]
  return [...(role === 'flow' ? reachProblems(listener, reach, published) : []), ...certificateProblems(listener)]
}

/** A certificate of which peers will complain, if they look at it. */
function certificateProblems({ port, role, certificate, declaredBy }: ListenerFact): Problem[] {
  if (!certificate) return []
  const { state, subject = '', at = '', reason = '' } = { subject: undefined, at: undefined, reason: undefined, ...certificate }
  const where = role === 'editor' ? 'the files TLS_CERT_FILE and TLS_KEY_FILE' : `the TLS configuration of ${nodeText(declaredBy[0])}`
  const wanted = state === 'unusable' ? 'a certificate and the key that belongs to it' : 'a certificate that is valid'
  return [{ code: 'CERTIFICATE', params: { port, state, subject, at, reason, role }, fix: `put ${wanted} into ${where}` }]
}

function listenFailure({ port, error, declaredBy }: ListenerFact): Problem {
  const where = nodeText(declaredBy[0])
  const { code: errno = '', message: reason = '', holder } = error ?? {}
  return {
    code: 'LISTEN_FAILED',
    params: { port, reason, errno, ...(holder === undefined ? {} : { holder }) },
    fix: listenFix(errno, { port, where, holder }),
  }
}

function listenFix(errno: string, { port, where, holder }: { port: number; where: string; holder: string | undefined }): string {
  if (errno === 'EADDRINUSE') return otherPort(port, { where, holder })
  return errno === 'ERR_NODE_START' ? `mend the settings of ${where}` : `change port or address of ${where}`
}

function nodeText(node: UsedBy | undefined): string {
  return node ? `the node "${node.name || node.node}" on "${node.flow}"` : 'the node'
}

function otherPort(port: number, { where, holder }: { where: string; holder: string | undefined }): string {
  const fix = `give ${where} another port`
  return holder !== undefined && isOutside(holder) ? fix : `${fix}, or delete the other node on ${port}`
}

function reachProblems({ port, address, declaredBy }: ListenerFact, reach: Reach, published: Publication[]): Problem[] {
  if (reach.kind !== 'mapped') return []
  if (isLoopback(address)) return [loopbackInside(port, { address: address!, node: declaredBy[0] })]
  const failure = reach.failures.find((candidate) => candidate.port === port)
  if (published.length === 0) {
    if (failure) return [publishProblem(failure)]
    return reach.partial ? [] : [notPublished(port)]
  }
  if (published.every((publication) => isLoopback(publication.address))) return [loopbackOnly(port, published[0]!)]
  return []
}

function notPublished(port: number): Problem {
  return { code: 'NOT_PUBLISHED', params: { port }, fix: `${COMMAND} publish ${port}` }
}

function publishProblem({ port, hostPort, code, holder, detail }: PublishFailure): Problem {
  if (code === 'REFUSED') return { code: 'PUBLISH_REFUSED', params: { port, reason: detail ?? '' }, fix: `${COMMAND} publish ${port}` }
  return {
    code: 'HOST_PORT_TAKEN',
    params: { port, hostPort, holder: holder ?? '' },
    fix: `${COMMAND} publish ${port} --host-port ${hostPort < 65535 ? hostPort + 1 : hostPort - 1}`,
  }
}

function loopbackInside(port: number, { address, node }: { address: string; node: UsedBy | undefined }): Problem {
  const name = node ? node.name || node.node : ''
  const fix = node ? `clear the bind address of the node "${name}"` : `let what listens on ${address} port ${port} listen on 0.0.0.0`
  return { code: 'LOOPBACK_INSIDE', params: { port, address, node: name }, fix }
}

function loopbackOnly(port: number, { by, address }: Publication): Problem {
  const fix = by === 'range' ? 'TCP_BIND=0.0.0.0 in .env, then: docker compose up --wait' : `${COMMAND} publish ${port} --bind 0.0.0.0`
  return { code: 'LOOPBACK_ONLY', params: { port, address, by }, fix }
}

function forwardersOf(reach: Reach): Publication[] {
  return reach.kind === 'mapped' ? reach.publications.filter(({ by }) => by === 'forwarder') : []
}

function idleRow(publication: Publication): PortRow {
  const { port } = publication
  return {
    kind: 'listener',
    port,
    declaredBy: [],
    state: 'nothing',
    published: [publication],
    clients: 0,
    problems: [{ code: 'NOTHING_LISTENS', params: { port }, fix: `${COMMAND} unpublish ${port}` }],
  }
}

function clientRow({ host, port, state, error, code, usedBy, isToAssistant }: ClientFact, reach: Reach): PortRow {
  const restart = reach.kind === 'direct' ? 'start Node-RED again' : 'docker compose up --wait'
  const noAnswer: Problem = {
    code: 'NO_ANSWER',
    params: {
      host,
      port,
      reason: error ?? '',
      ...(code === undefined ? {} : { errno: code }),
      compose: reach.kind === 'direct' ? '' : restart,
    },
    fix: `start the other side on port ${port}, or set its address: ASSISTANT_HOST=<address> in .env, then: ${restart}`,
    ...(isToAssistant ? { isNote: true } : {}),
  }
  return {
    kind: 'client',
    port,
    host,
    declaredBy: [usedBy],
    state,
    published: [],
    clients: state === 'connected' ? 1 : 0,
    problems: state === 'waiting' ? [noAnswer] : [],
  }
}
