// What HTTP clients without a login make the process hold counts to the same limit as what TCP connections hold: Node-RED bounds the body
// of one request and one message of a WebSocket, at most, but not how many there are.
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type WebSocket from 'ws'
import { formatAddress } from '../tcp/address.ts'
import type { Account, Budget } from '../tcp/budget.ts'

const UNSENT_EVERY_MS = 500

/** The server of a websocket-listener node. */
export type SocketServer = { on: (event: 'connection', listener: (client: WebSocket, request: IncomingMessage) => void) => unknown }

export type HttpMemory = {
  /** Counts the body of a request until it is answered. */
  countBody: (request: IncomingMessage, response: ServerResponse) => void
  /** Counts what the clients of a server have not sent whole yet, and what they have not taken. */
  countMessages: (server: SocketServer) => void
}

export function createHttpMemory(budget: Budget, warn: (message: string) => void): HttpMemory {
  const counted = new WeakSet<SocketServer>()

  function open(socket: Socket, what: string): Account {
    const ip = socket.remoteAddress ?? ''
    return budget.open({
      ip,
      label: `${what} ${formatAddress(ip, socket.remotePort ?? 0)}`,
      evict(error) {
        warn(error.message)
        socket.destroy()
      },
    })
  }

  function countBody(request: IncomingMessage, response: ServerResponse): void {
    const account = open(request.socket, 'HTTP client')
    const push = request.push.bind(request)
    let held = 0
    // Where Node.js hands over what has come; a listener would take it from whoever reads the body.
    request.push = (chunk: Buffer | null, encoding) => {
      if (chunk) account.setReceived((held += chunk.length))
      return push(chunk, encoding)
    }
    response.once('close', () => account.close())
  }

  function countClient(client: WebSocket, { socket }: IncomingMessage): void {
    const account = open(socket, 'WebSocket client')
    let held = 0
    // Before ws reads it, so that the message which it ends is not counted any more.
    socket.prependListener('data', (chunk) => {
      account.setReceived((held += chunk.length))
      account.setUnsent(socket.writableLength)
    })
    for (const event of ['message', 'ping', 'pong']) {
      client.on(event, () => {
        held = 0
        account.setReceived(0, true)
      })
    }
    const unsent = setInterval(() => account.setUnsent(socket.writableLength), UNSENT_EVERY_MS).unref()
    client.on('close', () => {
      clearInterval(unsent)
      account.close()
    })
  }

  return {
    countBody,
    countMessages(server) {
      if (counted.has(server)) return
      counted.add(server)
      server.on('connection', countClient)
    },
  }
}
