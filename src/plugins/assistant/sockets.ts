import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import WebSocket, { type WebSocketServer } from 'ws'
import type { Hub } from '../../assistant/engine/hub.ts'
import { badRequest, openEnvelope, readContent } from '../../assistant/server/requests.ts'
import { createWatcher } from '../../assistant/server/watcher.ts'
import { READING, type Answer, type Permissions, type ServerEvent } from '../../assistant/shared/protocol.ts'
import type { NodeRed } from '../node-red.ts'
import { permissionsOf } from './permissions.ts'
import { notice } from '../../assistant/shared/notice.ts'
import { AssistantError, noticeOfError } from '../../assistant/engine/errors.ts'

// ws 7, which Node-RED has too, knows it by this name only.
const { Server } = WebSocket as unknown as { Server: typeof WebSocketServer }

const VERSION = '0.1.0'
const MAX_SOCKETS = 32
const MAX_MESSAGE_BYTES = 9 * 1024 * 1024
const HEARTBEAT_MS = 30_000
// Far above what a watcher lets pile up: answers to requests count too.
const MAX_BUFFERED_BYTES = 128 * 1024 * 1024

type User = { permissions?: string | string[] } | null

/** Lets browsers that are logged in talk to the hub. The gate has seen the login and the origin; this asks what the user may do. */
export function acceptSockets(RED: NodeRed, hub: Hub, userOf: (cookie: string) => Promise<User>): void {
  const path = `${RED.settings.httpAdminRoot.replace(/\/$/, '')}/assistant/socket`
  const server = new Server({ noServer: true, maxPayload: MAX_MESSAGE_BYTES, perMessageDeflate: false })

  RED.server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    if (request.url?.split('?')[0] !== path) return
    void userOf(request.headers.cookie ?? '')
      .catch(() => null)
      .then((user) => {
        const permissions = permissionsOf(user?.permissions)
        if (!permissions.read) return refuse(socket, '403 Forbidden')
        if (server.clients.size >= MAX_SOCKETS) return refuse(socket, '503 Service Unavailable')
        server.handleUpgrade(request, socket, head, (client) => serve(client, permissions))
      })
  })

  function serve(client: WebSocket, permissions: Permissions): void {
    const send = (message: ServerEvent | Answer) => {
      if (client.readyState !== WebSocket.OPEN) return
      if (client.bufferedAmount > MAX_BUFFERED_BYTES) return client.terminate()
      client.send(JSON.stringify(message))
    }
    const watcher = createWatcher(hub, { send, buffered: () => client.bufferedAmount }, { permissions, version: VERSION })
    let alive = true
    const heartbeat = setInterval(() => {
      if (!alive) return client.terminate()
      alive = false
      client.ping()
    }, HEARTBEAT_MS)
    client.on('pong', () => (alive = true))
    client.on('error', () => client.terminate())
    client.on('close', () => {
      clearInterval(heartbeat)
      watcher.stop()
    })
    client.on('message', (data) => {
      alive = true
      void respond(data as Buffer)
    })

    async function respond(data: Buffer): Promise<void> {
      let id = 0
      try {
        const request = openEnvelope(data.toString())
        const { verb } = request
        id = request.id
        if (!permissions.write && !(verb && READING.includes(verb)))
          throw new AssistantError(notice('NOT_PERMITTED', { permission: 'assistant.write' }))
        if (verb === undefined) throw new AssistantError(badRequest('do: there is no such request'))
        send({ id, ok: true, result: await watcher.answer(verb, readContent(verb, request.content)) })
      } catch (error) {
        if (!(error instanceof AssistantError)) RED.log.warn(`assistant: ${(error as Error).stack}`)
        send({ id, ok: false, error: noticeOfError(error) })
      }
    }
  }
}

function refuse(socket: Duplex, status: string): void {
  socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`)
}
