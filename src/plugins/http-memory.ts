// What HTTP clients without a login make the process hold counts to the same limit as what TCP connections hold: Node-RED bounds the body
// of one request and one message of a WebSocket, at most, but not how many there are.
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type WebSocket from 'ws'
import { formatAddress } from '../text/address.ts'
import type { Account, Budget } from '../tcp/budget.ts'
import { countBody, PIECE_BYTES } from './http-body.ts'

// What a request is in memory until it is answered, with the message that a flow has of it.
const REQUEST_BYTES = 8 * 1024
const UNSENT_EVERY_MS = 500
// ws takes 16384, which a thousand clients could make gigabytes of.
const MAX_FRAGMENTS = 1024
// One byte, masked, with its head. How many fragments there are, ws does not say.
const SHORTEST_FRAGMENT = 7
const CONTROL_HEAD = 6

/** The server of a websocket-listener node. */
export type SocketServer = {
  options: { maxFragments?: number }
  on: (event: 'connection', listener: (client: WebSocket, request: IncomingMessage) => void) => unknown
}

export type HttpMemory = {
  /** Counts the body of a request, and what the client has not taken of the answer, until it has. */
  countRequest: (request: IncomingMessage, response: ServerResponse) => void
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

  function countRequest(request: IncomingMessage, response: ServerResponse): void {
    const account = open(request.socket, 'HTTP client')
    account.setReceived(REQUEST_BYTES)
    countBody(request, {
      held: (bytes) => account.setReceived(REQUEST_BYTES + bytes),
      refuse(why) {
        warn(`${account.holder.label} was disconnected: ${why}`)
        request.socket.destroy()
      },
    })
    countAnswer(response, account)
    response.once('close', () => account.close())
  }

  function countAnswer(response: ServerResponse, account: Account): void {
    let looking: NodeJS.Timeout | undefined
    const look = () => account.setUnsent(response.writableLength)
    const counted = <Args extends unknown[], Result>(send: (...args: Args) => Result) => {
      return (...args: Args): Result => {
        const result = send(...args)
        look()
        // Seldom: most answers are gone at once.
        if (account.unsent > 0) looking ??= setInterval(look, UNSENT_EVERY_MS).unref()
        return result
      }
    }
    response.write = counted(response.write.bind(response) as (...args: unknown[]) => boolean) as ServerResponse['write']
    response.end = counted(response.end.bind(response) as (...args: unknown[]) => ServerResponse) as ServerResponse['end']
    response.once('close', () => clearInterval(looking))
  }

  function countClient(client: WebSocket, { socket }: IncomingMessage): void {
    const account = open(socket, 'WebSocket client')
    let held = 0
    let pieces = 0
    const tell = (anew: boolean) => {
      const fragments = Math.min(held / SHORTEST_FRAGMENT, MAX_FRAGMENTS)
      account.setReceived(held + Math.ceil(pieces + fragments) * PIECE_BYTES, anew)
    }
    // Before ws reads it, so that the message which it ends is not counted any more.
    socket.prependListener('data', (chunk) => {
      held += chunk.length
      pieces += 1
      tell(false)
      account.setUnsent(socket.writableLength)
    })
    client.on('message', () => {
      held = pieces = 0
      tell(true)
    })
    // They may come between the fragments of a message, which stay.
    for (const event of ['ping', 'pong']) {
      client.on(event, (payload: Buffer) => {
        held = Math.max(0, held - payload.length - CONTROL_HEAD)
        pieces = 0
        tell(held === 0)
      })
    }
    const unsent = setInterval(() => account.setUnsent(socket.writableLength), UNSENT_EVERY_MS).unref()
    client.on('close', () => {
      clearInterval(unsent)
      account.close()
    })
  }

  return {
    countRequest,
    countMessages(server) {
      if (counted.has(server)) return
      counted.add(server)
      server.options.maxFragments = MAX_FRAGMENTS
      server.on('connection', countClient)
    },
  }
}
