// How many connections an HTTP server holds, and whose go when there are too many. Node.js' own `maxConnections` turns the newest away:
// who holds all of them with half a request each would be in, and everybody else out.
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'

export type ConnectionLimits = {
  /** The most that are open at once. */
  most: number
  /** How long a request may take to come, with all its headers. */
  headersMs: number
  /** How long it may take with its body. */
  requestMs?: number
  /** How long a client may take nothing of its answer; undefined: any time. */
  answerMs?: number
  /** A connection was closed to make room. */
  onGivenUp?: (address: string) => void
  /** A connection was closed because too many requests came on it before their answers. */
  onHasty?: (address: string, requests: number) => void
}

export type LimitedConnections = {
  most: number
  /**
   * Has to be told of every request; false: it is not to be answered, its connection is closed. The connection of a `trusted` one is not
   * given up before it is answered.
   */
  request: (request: IncomingMessage, response: ServerResponse, trusted?: boolean) => boolean
  /** A connection that is no longer one of HTTP, such as a WebSocket: it counts no more. */
  leave: (socket: Duplex) => void
}

// In the order in which they are given up: those that have not sent a whole request, those that have had an answer, those that are being
// answered.
const GIVEN_UP = ['incomplete', 'idle', 'answered'] as const
type Connection = {
  socket: Socket
  address: string
  state: (typeof GIVEN_UP)[number] | 'trusted'
  /** What is not answered yet. */
  waiting: Set<ServerResponse>
  /** Since when there is no request on it. */
  waitingSince: number | undefined
}

const SWEEPS_PER_LIMIT = 4
// Browsers wait for each answer. Of requests of a few bytes, thousands come at once with whatever is read of a connection.
const MAX_WAITING = 10

/** Connections that {@link keepOpen} has taken out of the limits. */
const kept = new WeakSet<Socket>()

/** Leaves a connection alone: its answer goes on for as long as the client wants, within a bound of the caller's own. */
export function keepOpen({ socket }: Pick<ServerResponse, 'socket'>): void {
  if (socket) kept.add(socket)
}

/**
 * Bounds the connections of a server. Whoever comes gets in: for that, the address with the most connections gives one up, the oldest of
 * those that have not sent a whole request, or else the oldest. So who sends whole requests and takes the answers does not queue behind
 * those who do not, and one address can do no more than push out itself.
 */
export function limitConnections(
  server: Server,
  { most, headersMs, requestMs, answerMs, onGivenUp, onHasty }: ConnectionLimits,
): LimitedConnections {
  const connections = new Map<Socket, Connection>()
  let sweeping: NodeJS.Timeout | undefined
  // Clients are told, and do not send into a connection that is about to go.
  server.keepAliveTimeout = Math.min(server.keepAliveTimeout, headersMs / 2)
  if (requestMs !== undefined) server.requestTimeout = requestMs

  // The socket that was accepted: under TLS, requests name another one on top of it.
  server.on('connection', (socket) => {
    const address = socket.remoteAddress ?? ''
    if (connections.size >= most && !giveUpOne()) {
      onGivenUp?.(address)
      socket.destroy()
      return
    }
    connections.set(socket, { socket, address, state: 'incomplete', waiting: new Set(), waitingSince: performance.now() })
    socket.once('close', () => connections.delete(socket))
    sweeping ??= setInterval(sweep, headersMs / SWEEPS_PER_LIMIT).unref()
  })

  function request(request: IncomingMessage, response: ServerResponse, trusted = false): boolean {
    if (request.socket.destroyed) return false
    const connection = find(request.socket)
    if (!connection) return true
    const { waiting } = connection
    if (waiting.size >= MAX_WAITING) {
      onHasty?.(connection.address, MAX_WAITING)
      request.socket.destroy()
      return false
    }
    waiting.add(response)
    connection.waitingSince = undefined
    if (trusted) connection.state = 'trusted'
    else if (!hasBody(request)) connection.state = 'answered'
    else {
      connection.state = 'incomplete'
      request.once('end', () => connection.state === 'incomplete' && (connection.state = 'answered'))
    }
    response.once('close', () => {
      waiting.delete(response)
      if (waiting.size > 0) return
      connection.state = 'idle'
      connection.waitingSince = performance.now()
    })
    if (answerMs !== undefined) response.setTimeout(answerMs, () => kept.has(request.socket) || request.socket.destroy())
    return true
  }

  function find(socket: Socket): Connection | undefined {
    const under = (socket as Socket & { _parent?: Socket })._parent
    return connections.get(socket) ?? (under && connections.get(under))
  }

  function sweep(): void {
    const latest = performance.now() - headersMs
    for (const { socket, waitingSince = Infinity } of connections.values()) if (waitingSince < latest) socket.destroy()
    if (connections.size === 0) sweeping = void clearInterval(sweeping)
  }

  function giveUpOne(): boolean {
    const all = [...connections.values()].filter(({ socket }) => !kept.has(socket))
    for (const state of GIVEN_UP) {
      const victim = oldestOfMost(all.filter((connection) => connection.state === state))
      if (!victim) continue
      onGivenUp?.(victim.address)
      // Its `close` comes a moment later.
      connections.delete(victim.socket)
      victim.socket.destroy()
      return true
    }
    return false
  }

  return {
    most,
    request,
    leave(socket) {
      const connection = find(socket as Socket)
      if (connection) connections.delete(connection.socket)
    },
  }
}

/** The oldest of the address that has the most of these; they are in the order in which they came. */
export function oldestOfMost<T extends { address: string }>(connections: readonly T[]): T | undefined {
  const byAddress = Map.groupBy(connections, ({ address }) => address)
  let most: T[] = []
  for (const ofOne of byAddress.values()) if (ofOne.length > most.length) most = ofOne
  return most[0]
}

function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0
}
