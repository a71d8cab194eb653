// How many connections an HTTP server holds, and whose go when there are too many. Node.js' own `maxConnections` turns the newest away:
// who holds all of them with half a request each would be in, and everybody else out.
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'

export type ConnectionLimits = {
  /** The most that are open at once. */
  most: number
  /** How long a request may take to come, with all its headers. */
  headersMs: number
  /** How long a client may take nothing of its answer; undefined: any time. */
  answerMs?: number
}

type Connection = { socket: Socket; address: string; waitingSince: number | undefined }

const SWEEPS_PER_LIMIT = 4

/** Connections that {@link keepOpen} has taken out of the limits. */
const kept = new WeakSet<Socket>()

/** Leaves a connection alone: its answer goes on for as long as the client wants, within a bound of the caller's own. */
export function keepOpen({ socket }: Pick<ServerResponse, 'socket'>): void {
  if (socket) kept.add(socket)
}

/**
 * Bounds the connections of a server. Whoever comes gets in: for that, the address with the most connections gives one up, the oldest of
 * those that wait for a request, or else the oldest. So who sends whole requests and takes the answers does not queue behind those who do
 * not, and one address can do no more than push out itself.
 */
export function limitConnections(server: Server, { most, headersMs, answerMs }: ConnectionLimits): void {
  const connections = new Map<Socket, Connection>()
  let sweeping: NodeJS.Timeout | undefined
  // Clients are told, and do not send into a connection that is about to go.
  server.keepAliveTimeout = Math.min(server.keepAliveTimeout, headersMs / 2)

  // The socket that was accepted: under TLS, requests name another one on top of it.
  server.on('connection', (socket) => {
    if (connections.size >= most) giveUpOne()
    connections.set(socket, { socket, address: socket.remoteAddress ?? '', waitingSince: performance.now() })
    socket.once('close', () => connections.delete(socket))
    sweeping ??= setInterval(sweep, headersMs / SWEEPS_PER_LIMIT).unref()
  })
  server.prependListener('request', (request: IncomingMessage, response: ServerResponse) => {
    const connection = find(request.socket)
    if (!connection) return
    connection.waitingSince = undefined
    response.once('close', () => (connection.waitingSince = performance.now()))
    if (answerMs !== undefined) response.setTimeout(answerMs, () => kept.has(request.socket) || request.socket.destroy())
  })

  function find(socket: Socket): Connection | undefined {
    const under = (socket as Socket & { _parent?: Socket })._parent
    return connections.get(socket) ?? (under && connections.get(under))
  }

  function sweep(): void {
    const latest = performance.now() - headersMs
    for (const { socket, waitingSince = Infinity } of connections.values()) if (waitingSince < latest) socket.destroy()
    if (connections.size === 0) sweeping = void clearInterval(sweeping)
  }

  function giveUpOne(): void {
    const all = [...connections.values()].filter(({ socket }) => !kept.has(socket))
    const victim = oldestOfMost(all.filter(({ waitingSince }) => waitingSince !== undefined)) ?? oldestOfMost(all)
    if (!victim) return
    // Its `close` comes a moment later.
    connections.delete(victim.socket)
    victim.socket.destroy()
  }
}

/** The oldest of the address that has the most of these; they are in the order in which they came. */
export function oldestOfMost<T extends { address: string }>(connections: readonly T[]): T | undefined {
  const byAddress = Map.groupBy(connections, ({ address }) => address)
  let most: T[] = []
  for (const ofOne of byAddress.values()) if (ofOne.length > most.length) most = ofOne
  return most[0]
}
