import type { IncomingMessage, ServerResponse } from 'node:http'
import type { PortsSnapshot } from '../../ports/shared/facts.ts'
import { PORTS_HEADER } from '../../ports/header.ts'
import { keepOpen, oldestOfMost } from '../http-connections.ts'

// As many again for the parts of this project: the watcher does not queue behind strangers.
const MAX_STREAMS = 16
const HEARTBEAT_MS = 10_000
const MAX_WAITING_BYTES = 1024 * 1024

/** What a stream needs of the feed. */
export type StreamSource = {
  snapshot: () => PortsSnapshot
  follow: (follower: (snapshot: PortsSnapshot) => void, options: { counts: boolean }) => () => void
  /** Streams that are open, of the parts of this project and of others, in the order in which they came. */
  streams: Set<Stream>
}

export type Stream = { address: string; isPart: boolean; end: () => void }

/**
 * Sends the snapshot now and at every change, as server-sent events named `listeners`. Who does not take what is sent is dropped, and
 * finds all of it when it comes again. False when there are as many streams as may be. Of the parts of this project the oldest goes, of
 * the address with the most: it comes again by itself.
 * https://html.spec.whatwg.org/multipage/server-sent-events.html
 */
export function openStream(source: StreamSource, { headers, socket }: IncomingMessage, response: ServerResponse): boolean {
  const stream: Stream = { address: socket.remoteAddress ?? '', isPart: PORTS_HEADER in headers, end: () => response.destroy() }
  const others = [...source.streams].filter(({ isPart }) => isPart === stream.isPart)
  if (others.length >= MAX_STREAMS) {
    if (!stream.isPart) return false
    const victim = oldestOfMost(others)!
    source.streams.delete(victim)
    victim.end()
  }
  source.streams.add(stream)
  keepOpen(response)
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' })
  const send = (text: string) => {
    if (response.writableLength > MAX_WAITING_BYTES) response.destroy()
    else response.write(text)
  }
  const sendSnapshot = (snapshot: PortsSnapshot) => send(`event: listeners\ndata: ${JSON.stringify(snapshot)}\n\n`)
  const unfollow = source.follow(sendSnapshot, { counts: true })
  const heartbeat = setInterval(() => send(': still here\n\n'), HEARTBEAT_MS)
  response.once('close', () => {
    source.streams.delete(stream)
    unfollow()
    clearInterval(heartbeat)
  })
  response.on('error', () => {})
  sendSnapshot(source.snapshot())
  return true
}

/** Why no more streams are opened. */
export const TOO_MANY_STREAMS = `${MAX_STREAMS} streams are open, which is the limit: close one`
