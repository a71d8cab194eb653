import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Server as NetServer, Socket } from 'node:net'
import type { Duplex } from 'node:stream'

export type HeldConnections = {
  /** Has to be told of every request. Connections of `trusted` ones are not closed while they are answered. */
  request: (request: IncomingMessage, response: ServerResponse, trusted: boolean) => void
  /** A connection that is no longer one of HTTP, such as a WebSocket: it counts no more. */
  leave: (socket: Duplex) => void
  max: number
  readonly count: number
}

export type HeldOptions = {
  max: number
  headersTimeoutMs: number
  /** For a request with its body. */
  requestTimeoutMs: number
  /** A connection was closed to make room, or a new one was since there was none to close. */
  onClosed: (address: string) => void
}

// Which connections go first when there are too many: those that wait for (the rest of) a request, those that have had an answer and
// keep the connection, those that are being answered to somebody unknown. The last is never closed.
const CLOSING_ORDER = ['incomplete', 'idle', 'answered', 'trusted'] as const
type State = (typeof CLOSING_ORDER)[number]
type Entry = { key: string; socket: Socket; address: string; state: State; requests: number }

const CHECKS_PER_TIMEOUT = 4

/**
 * Bounds the connections that an HTTP server holds. At the bound the oldest connection without a whole request is closed for the new one,
 * so that those who only hold connections hold up nobody else, wherever they come from: behind a proxy everybody has the same address.
 * To be called before the server listens.
 */
export function limitHeldConnections(server: Server, options: HeldOptions): HeldConnections {
  const { max, headersTimeoutMs, requestTimeoutMs, onClosed } = options
  server.headersTimeout = headersTimeoutMs
  server.requestTimeout = requestTimeoutMs
  // Node.js reads it when the server begins to listen.
  Object.assign(server, { connectionsCheckingInterval: headersTimeoutMs / CHECKS_PER_TIMEOUT })

  // By the peer's address and port: with TLS, connection and socket of a request are two objects.
  const entries = new Map<string, Entry>()
  // In the order in which they came into it.
  const states: Record<State, Set<Entry>> = { incomplete: new Set(), idle: new Set(), answered: new Set(), trusted: new Set() }

  function accept(socket: Socket): void {
    const key = keyOf(socket)
    if (key === undefined) return
    if (entries.size >= max && !makeRoom()) {
      onClosed(socket.remoteAddress!)
      socket.destroy()
      return
    }
    const entry: Entry = { key, socket, address: socket.remoteAddress!, state: 'incomplete', requests: 0 }
    entries.set(key, entry)
    states.incomplete.add(entry)
    socket.once('close', () => remove(entry))
  }

  function makeRoom(): boolean {
    for (const state of CLOSING_ORDER) {
      if (state === 'trusted') continue
      const [oldest] = states[state]
      if (!oldest) continue
      onClosed(oldest.address)
      // At once, since the socket says that it is closed in the next turn only.
      remove(oldest)
      oldest.socket.destroy()
      return true
    }
    return false
  }

  function remove(entry: Entry): void {
    states[entry.state].delete(entry)
    if (entries.get(entry.key) === entry) entries.delete(entry.key)
  }

  function move(entry: Entry, state: State): void {
    // What was closed meanwhile stays away.
    if (!states[entry.state].delete(entry)) return
    entry.state = state
    states[state].add(entry)
  }

  function request(request: IncomingMessage, response: ServerResponse, trusted: boolean): void {
    const entry = entryOf(request.socket)
    if (!entry) return
    entry.requests += 1
    if (trusted) move(entry, 'trusted')
    else if (!hasBody(request)) move(entry, 'answered')
    else {
      move(entry, 'incomplete')
      request.once('end', () => entry.state === 'incomplete' && move(entry, 'answered'))
    }
    response.once('close', () => {
      entry.requests -= 1
      if (entry.requests === 0) move(entry, 'idle')
    })
  }

  function leave(socket: Duplex): void {
    const entry = entryOf(socket as Socket)
    if (entry) remove(entry)
  }

  function entryOf(socket: Socket): Entry | undefined {
    const key = keyOf(socket)
    return key === undefined ? undefined : entries.get(key)
  }

  ;(server as NetServer).on('connection', accept)
  return {
    max,
    request,
    leave,
    get count() {
      return entries.size
    },
  }
}

/** Undefined when the peer has gone already. */
function keyOf({ remoteAddress, remotePort }: Socket): string | undefined {
  return remoteAddress === undefined ? undefined : `${remoteAddress} ${remotePort}`
}

function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0
}
