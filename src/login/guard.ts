import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import type { Gate } from './gate.ts'

// How long an upgraded connection may stay silent at first, and how long a peer may take to close after we have.
const UPGRADE_TIMEOUT_MS = 5_000

const REQUESTS = new Set(['request', 'checkContinue', 'checkExpectation'])
const SOCKETS = new Set(['upgrade', 'connect'])

/** Puts the gate in front of whatever listens to the server's requests, now or later. */
export function guardServer(server: Server, gate: Gate, onFailed: (message: string) => void): void {
  const emit = server.emit.bind(server) as (event: string, ...args: unknown[]) => boolean
  // Not a listener: socket.io and others take over the listeners that they find. Nobody gets round emit.
  server.emit = ((event: string, ...args: unknown[]): boolean => {
    const next = () => void emit(event, ...args)
    if (REQUESTS.has(event)) guardRequest(args[0] as IncomingMessage, args[1] as ServerResponse, next)
    else if (SOCKETS.has(event)) guardSocket(args[0] as IncomingMessage, args[1] as Duplex, next)
    else return emit(event, ...args)
    return true
  }) as Server['emit']

  function guardRequest(request: IncomingMessage, response: ServerResponse, next: () => void): void {
    try {
      gate.request(request, response, next)
    } catch (error) {
      report(request, error)
      if (response.headersSent) response.destroy()
      else response.writeHead(500, { 'content-type': 'application/json' }).end('{"error":"this request cannot be answered"}\n')
    }
  }

  function guardSocket(request: IncomingMessage, socket: Duplex, next: () => void): void {
    // Node.js takes its own handler away before it hands over the socket, and a peer may reset the connection at any time.
    socket.on('error', () => socket.destroy())
    socket.once('finish', () => destroyLater(socket))
    const before = written(socket)
    setTimeout(() => written(socket) === before && socket.destroy(), UPGRADE_TIMEOUT_MS).unref()
    try {
      gate.upgrade(request, socket, next)
    } catch (error) {
      report(request, error)
      socket.destroy()
    }
  }

  function report({ method, url = '' }: IncomingMessage, error: unknown): void {
    onFailed(`${method} ${url.slice(0, 200)} failed: ${(error as Error).message}`)
  }
}

function destroyLater(socket: Duplex): void {
  setTimeout(() => socket.destroy(), UPGRADE_TIMEOUT_MS).unref()
}

function written(socket: Duplex): number {
  return (socket as Duplex & { bytesWritten?: number }).bytesWritten ?? 0
}
