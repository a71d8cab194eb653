import { ref, shallowRef } from 'vue'
import type { Answer, Answers, EndpointInfo, ServerEvent } from '../../shared/protocol.ts'
import type { Asked, Verb } from '../../shared/requests.ts'
import { notice, type Notice } from '../../shared/notice.ts'

const FIRST_RETRY_MS = 300
const LAST_RETRY_MS = 5_000

type Hello = Extract<ServerEvent, { on: 'hello' }>
type Waiting = { resolve: (result: never) => void; reject: (error: RequestError) => void }

/** A request that the server could not carry out; `notice` says why. */
export class RequestError extends Error {
  readonly notice: Notice

  constructor(notice: Notice) {
    super(notice.code)
    this.notice = notice
  }
}

/** Why a request was not carried out, for people. */
export function noticeOf(error: unknown): Notice {
  return error instanceof RequestError ? error.notice : notice('BAD_REQUEST', { reason: String(error) })
}

export type Link = 'connecting' | 'open' | 'lost' | 'signed-out'

export const link = ref<Link>('connecting')
export const hello = shallowRef<Hello>()
export const endpoints = shallowRef<EndpointInfo[]>([])

const listeners = new Set<(event: ServerEvent) => void>()
const waiting = new Map<number, Waiting>()
let socket: WebSocket | undefined
let lastId = 0
let retryMs = FIRST_RETRY_MS

/** Calls back with whatever the server tells on its own account. */
export function onEvent(listener: (event: ServerEvent) => void): () => void {
  listeners.add(listener)
  return () => listeners.delete(listener)
}

/**
 * Asks the server.
 * @throws RequestError
 */
export function ask<V extends Verb>(verb: V, asked: Asked<V>): Promise<Answers[V]> {
  return new Promise((resolve, reject) => {
    if (socket?.readyState !== WebSocket.OPEN) return reject(new RequestError(notice('OFFLINE')))
    const id = ++lastId
    waiting.set(id, { resolve: resolve, reject })
    socket.send(JSON.stringify({ ...asked, id, do: verb }))
  })
}

export function connect(): void {
  const url = new URL('socket', document.baseURI)
  url.protocol = url.protocol.replace('http', 'ws')
  url.search = url.hash = ''
  const opened = (socket = new WebSocket(url))
  opened.onmessage = ({ data }: MessageEvent<string>) => take(JSON.parse(data) as Answer | ServerEvent)
  opened.onclose = () => {
    if (socket !== opened) return
    if (link.value !== 'signed-out') link.value = 'lost'
    for (const { reject } of waiting.values()) reject(new RequestError(notice('OFFLINE')))
    waiting.clear()
    setTimeout(() => void retry(), retryMs)
    retryMs = Math.min(retryMs * 2, LAST_RETRY_MS)
  }
}

// A WebSocket does not tell why it was refused; the page itself does.
async function retry(): Promise<void> {
  const answer = await fetch(document.baseURI, { headers: { accept: 'application/json' }, cache: 'no-store' }).catch(() => undefined)
  if (answer?.status === 401) link.value = 'signed-out'
  connect()
}

function take(message: Answer | ServerEvent): void {
  if (!('on' in message)) return answer(message)
  if (message.on === 'hello') {
    hello.value = message
    endpoints.value = message.endpoints
    retryMs = FIRST_RETRY_MS
    link.value = 'open'
  }
  if (message.on === 'endpoint') {
    const known = endpoints.value.some(({ id }) => id === message.info.id)
    endpoints.value = known
      ? endpoints.value.map((info) => (info.id === message.info.id ? message.info : info))
      : [...endpoints.value, message.info]
  }
  if (message.on === 'entries') {
    const { endpoint, counters } = message
    endpoints.value = endpoints.value.map((info) => (info.id === endpoint ? { ...info, counters } : info))
  }
  if (message.on === 'removed') endpoints.value = endpoints.value.filter(({ id }) => id !== message.endpoint)
  for (const listener of listeners) listener(message)
}

function answer(message: Answer): void {
  const asked = waiting.get(message.id)
  waiting.delete(message.id)
  if (message.ok) asked?.resolve(message.result as never)
  else asked?.reject(new RequestError(message.error))
}
