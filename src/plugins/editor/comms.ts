// What editors say over /comms. Node-RED takes it as it comes: what is no object, or a topic that is no text, would end the process.
import { createRequire } from 'node:module'
import type { IncomingMessage } from 'node:http'
import type WebSocket from 'ws'

type Options = { topic?: unknown }
type Handle = (options: Options) => Promise<void>
type Listener = (...args: unknown[]) => void

// Editors ask for `status/#` and the like.
const MAX_TOPIC_LENGTH = 256

/** Leaves out what cannot be worked off, and says so to `left`. */
export function guardComms(path: string, left: (message: string) => void): void {
  const fromNodeRed = createRequire(createRequire(import.meta.url).resolve('node-red'))
  const { comms } = fromNodeRed('@node-red/runtime') as { comms: { subscribe: Handle; receive: Handle } }
  const leave = (error: unknown) => left(`a message at ${path} was left out: ${error instanceof Error ? error.message : String(error)}`)

  for (const name of ['subscribe', 'receive'] as const) {
    const handle = comms[name]
    comms[name] = async (options) => {
      try {
        checkTopic(options.topic)
        await handle(options)
      } catch (error) {
        leave(error)
      }
    }
  }

  const fromEditor = createRequire(fromNodeRed.resolve('@node-red/editor-api'))
  const { prototype } = (fromEditor('ws') as { Server: { prototype: { emit: (event: string, ...args: unknown[]) => boolean } } }).Server
  const emit = prototype.emit
  prototype.emit = function (this: unknown, event, ...args) {
    const [client, request] = args as [WebSocket, IncomingMessage | undefined]
    if (event === 'connection' && request?.url?.split('?')[0] === path) guardClient(client, leave)
    return emit.call(this, event, ...args)
  }
}

/** Node-RED makes a pattern of a topic, each `+` a repetition: one after the other they take for ever. */
function checkTopic(topic: unknown): void {
  if (typeof topic === 'string' && topic.length <= MAX_TOPIC_LENGTH && !topic.includes('++')) return
  throw new Error(`its topic is no text of at most ${MAX_TOPIC_LENGTH} characters without ++`)
}

function guardClient(client: WebSocket, leave: (error: unknown) => void): void {
  const on = client.on.bind(client) as (event: string, listener: Listener) => WebSocket
  const guarded =
    (listener: Listener): Listener =>
    (...args) => {
      try {
        listener.apply(client, args)
      } catch (error) {
        leave(error)
      }
    }
  client.on = ((event: string, listener: Listener) => on(event, event === 'message' ? guarded(listener) : listener)) as WebSocket['on']
}
