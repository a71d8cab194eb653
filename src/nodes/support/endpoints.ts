// What tcp in and tcp out have in common: listening and connecting, with status, log lines and hand-over.
import { withHolder, type Holders } from '../../ports/shared/holders.ts'
import { createBoundedReport, type BoundedReport } from '../../tcp/bounded-report.ts'
import type { DiallerOwner, DiallerState } from '../../tcp/dialler.ts'
import type { TcpError } from '../../tcp/errors.ts'
import type { ListenerOwner, ListenerState } from '../../tcp/listener.ts'
import type { Lease } from '../../tcp/registry.ts'
import type { About, Session } from '../../tcp/session.ts'
import type { FilledDefaults } from './defaults.ts'
import { onceStarted } from './deploys.ts'
import { listenerStatus } from './listener-status.ts'
import { placeOf, type NodeRed, type NodeStatus, type RedNode } from './node-red.ts'
import { readBind, readListenerSettings, readPort, readSocketSettings, type Properties } from './options.ts'
import { createLateTeller, eventOf, type SessionEvent } from './session-events.ts'
import type { Endpoint, Shared } from './shared.ts'
import { isShuttingDown } from './shutdown.ts'
import { tellError } from './tell-error.ts'
import { readTls, warnOfValidity } from './tls.ts'

export type Context = { RED: NodeRed; node: RedNode; properties: Properties; defaults: FilledDefaults; shared: Shared }

/** What a node does with its sessions; the rest is here. */
export type SessionUse = Pick<ListenerOwner, 'intake' | 'lingerMs' | 'onPayload' | 'onTail' | 'onOutOfStep'> & {
  /** A session that existed before the node. */
  onAdopted?: (session: Session) => void
}

/** The open sessions of all tcp in nodes. */
export function sessionsOfTcpIn({ endpoints }: Shared): Session[] {
  return sessionsOf(tcpInWithin([], endpoints))
}

/**
 * The open sessions of the tcp in nodes around a node: of those in the instance of a subflow that it is in, where there are any, else of
 * those on its tab.
 */
export function sessionsAround({ node, shared: { endpoints } }: Context): Session[] {
  const place = placeOf(node)
  for (let depth = place.length - 1; depth > 0; depth -= 1) {
    const near = tcpInWithin(place.slice(0, depth), endpoints)
    if (near.length > 0) return sessionsOf(near)
  }
  return []
}

function tcpInWithin(place: readonly string[], endpoints: Shared['endpoints']): Endpoint[] {
  return [...endpoints].filter(({ node, role }) => {
    if (role !== 'in') return false
    const other = placeOf(node)
    return place.every((id, depth) => other[depth] === id)
  })
}

function sessionsOf(nodes: readonly Endpoint[]): Session[] {
  return nodes.flatMap(({ sessions }) => [...sessions])
}

function aboutOf(node: RedNode): About {
  return { node: node.id, type: node.type, name: node.name ?? '', flow: placeOf(node)[0] ?? '' }
}

/** Listens for a node until it is closed. */
export function startListening(context: Context, use: SessionUse): Endpoint {
  const { RED, node, properties, defaults, shared } = context
  const { engine, published, holders } = shared
  const port = readPort(properties.port)
  // Known also where all else fails: whoever says why it does not listen says on which port.
  node.port = port
  const place = { port, address: readBind(properties, defaults), tls: readTls(RED, properties, { server: true }) }
  const sessions = new Set<Session>()
  const losses = createBoundedReport('connections broke', (message) => node.warn(message))
  let state: ListenerState | undefined
  const warning = warnOfValidity(node, place.tls)
  const statusNow = () => listenerStatus(state, { port: place.port, count: sessions.size, reach: published.reach([place.port]), warning })
  let shown: string | undefined
  const show = (event?: SessionEvent) => {
    const status = statusNow()
    shown = JSON.stringify(status)
    node.status({ ...status, ...event })
  }
  // Status nodes receive nothing before the flow has started.
  const showEvent = createLateTeller(show)
  const owner: ListenerOwner = {
    ...use,
    about: aboutOf(node),
    settings: readListenerSettings(properties, defaults),
    onState(next) {
      const before = state
      state = next
      show()
      reportListening(node, { before, next, port: place.port, holders })
    },
    onSession(session, adopted) {
      sessions.add(session)
      if (adopted) use.onAdopted?.(session)
      showEvent(eventOf(session, { event: 'connect', adopted }))
    },
    onClosed(session, cause) {
      sessions.delete(session)
      showEvent(eventOf(session, { event: 'disconnect', adopted: false }))
      if (cause) reportLoss(context, { session, cause, losses })
    },
    onRefused: (message) => node.warn(message),
    onWant: (message) => tellError(node, message, { code: 'DESCRIPTORS' }),
  }
  show()
  const unfollow = published.follow(() => {
    if (JSON.stringify(statusNow()) !== shown) show()
  })
  node.on('close', (_removed, done) => {
    unfollow()
    losses.stop()
    done()
  })
  return holdLease(context, { sessions, lease: engine.listen(place, owner) })
}

/** Keeps a connection for a node until it is closed. */
export function startConnecting(
  context: Context,
  use: SessionUse & { onState?: (state: DiallerState) => void },
): Endpoint & { readonly session: Session | undefined } {
  const { RED, node, properties, defaults, shared } = context
  const host = String(properties.host || 'localhost')
  const place = { host, port: readPort(properties.port), tls: readTls(RED, properties, { server: false }), caller: node.id }
  warnOfValidity(node, place.tls)
  const sessions = new Set<Session>()
  let session: Session | undefined
  let shown: DiallerState['kind'] | undefined
  const owner: DiallerOwner = {
    ...use,
    about: aboutOf(node),
    settings: { ...readSocketSettings(properties, defaults), reconnectMs: defaults.reconnectMs },
    onState(next) {
      session = next.kind === 'connected' ? next.session : undefined
      sessions.clear()
      if (session) sessions.add(session)
      if (next.kind === 'connected' && next.adopted) use.onAdopted?.(next.session)
      showDialling(node, { shown, next, place })
      if (next.kind !== 'connecting' || shown === undefined) shown = next.kind
      use.onState?.(next)
    },
    onClosed: (closed, cause) => {
      sessions.delete(closed)
      if (cause) reportLoss(context, { session: closed, cause })
    },
  }
  const endpoint = holdLease(context, { sessions, lease: shared.engine.dial(place, owner) })
  return {
    ...endpoint,
    get session() {
      return session?.isOpen ? session : undefined
    },
  }
}

function holdLease(
  { node, shared: { engine, endpoints } }: Context,
  { sessions, lease }: { sessions: Set<Session>; lease: Lease },
): Endpoint {
  const endpoint = { sessions, node, role: node.type === 'tcp in' ? ('in' as const) : ('out' as const) }
  endpoints.add(endpoint)
  node.on('close', (removed, done) => {
    endpoints.delete(endpoint)
    lease.release(removed)
    if (isShuttingDown()) engine.shutDown().then(done, done)
    else done()
  })
  return endpoint
}

function reportListening(
  node: RedNode,
  { before, next, port, holders }: { before: ListenerState | undefined; next: ListenerState; port: number; holders: Holders },
): void {
  if (next.kind === 'listening') {
    if (before?.kind !== 'listening') node.log(`listening on port ${next.port}`)
    return
  }
  // Once for each change of state, not for every try.
  if (before?.kind === 'failed' && before.error.message === next.error.message) return
  const hint = next.retryMs === undefined ? '' : '; it is tried again until the port is free'
  // Catch nodes are there once the flow has started.
  setImmediate(() => {
    const { message, code } = next.error
    const text = message.includes('EADDRINUSE') ? withHolder(message, holders.of(port)) : message
    tellError(node, `${text}${hint}`, { payload: message, code })
  })
}

/** Shows and logs a state of a connection; a further try that fails like the one before is no news. */
function showDialling(
  node: RedNode,
  { shown, next, place }: { shown: string | undefined; next: DiallerState; place: { host: string; port: number } },
): void {
  if (next.kind === shown || (next.kind === 'connecting' && shown !== undefined)) return
  switch (next.kind) {
    case 'connecting':
      node.log(`connecting to ${place.host}:${place.port}`)
      return node.status({ fill: 'grey', shape: 'dot', text: 'common.status.connecting' })
    case 'connected':
      return showConnected(node, { next, place })
    case 'waiting':
      node.status({ fill: 'red', shape: 'ring', text: 'common.status.disconnected' })
      if (next.error) node.warn(`${next.error.message}; it is tried again until it succeeds`)
      else node.log(`the connection to ${place.host}:${place.port} has ended`)
  }
}

function showConnected(
  node: RedNode,
  { next: { session, adopted }, place }: { next: DiallerState & { kind: 'connected' }; place: { host: string; port: number } },
): void {
  const status: NodeStatus = { fill: 'green', shape: 'dot', text: 'common.status.connected', _session: { type: 'tcp', id: session.id } }
  if (!adopted) {
    node.log(`connected to ${place.host}:${place.port}`)
    return node.status(status)
  }
  onceStarted(() => {
    if (session.isOpen) node.status({ ...status, ...eventOf(session, { event: 'connect', adopted }) })
  })
}

/** A connection that broke for a reason of ours is an error of the flow's; what peers do is for the log. `losses`: those of a server. */
function reportLoss(
  { node, shared }: Context,
  { session, cause, losses }: { session: Session; cause: Error; losses?: BoundedReport },
): void {
  const code = (cause as TcpError).code as string | undefined
  if (code === 'FRAMING') node.error(cause, { ip: session.ip, port: session.port, _session: { type: 'tcp', id: session.id } })
  else if (code === 'MEMORY') shared.crowding.add(node, { session, cause })
  else if (code === 'IDLE') node.log(`${cause.message}; it was closed`)
  else if (code !== 'SLOW_PEER' && code !== 'REFUSED') losses?.add(`the connection from ${session.peer} broke: ${cause.message}`)
}
