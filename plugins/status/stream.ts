import type { ServerResponse } from 'node:http'
import type { PortsSnapshot } from '../../ports/facts.ts'

const MAX_STREAMS = 16
const HEARTBEAT_MS = 10_000
const MAX_WAITING_BYTES = 1024 * 1024

/** What a stream needs of the feed. */
export type StreamSource = {
  snapshot: () => PortsSnapshot
  follow: (follower: (snapshot: PortsSnapshot) => void, options: { counts: boolean }) => () => void
  streams: number
}

/**
 * Sends the snapshot now and at every change, as server-sent events named `listeners`. Who does not take what is sent is dropped, and
 * finds all of it when it comes again. False when there are as many streams as may be.
 * https://html.spec.whatwg.org/multipage/server-sent-events.html
 */
export function openStream(source: StreamSource, response: ServerResponse): boolean {
  if (source.streams >= MAX_STREAMS) return false
  source.streams += 1
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' })
  const send = (text: string) => {
    if (response.writableLength > MAX_WAITING_BYTES) response.destroy()
    else response.write(text)
  }
  const sendSnapshot = (snapshot: PortsSnapshot) => send(`event: listeners\ndata: ${JSON.stringify(snapshot)}\n\n`)
  const unfollow = source.follow(sendSnapshot, { counts: true })
  const heartbeat = setInterval(() => send(': still here\n\n'), HEARTBEAT_MS)
  response.once('close', () => {
    source.streams -= 1
    unfollow()
    clearInterval(heartbeat)
  })
  response.on('error', () => {})
  sendSnapshot(source.snapshot())
  return true
}

/** Why no further stream is opened. */
export const TOO_MANY_STREAMS = `${MAX_STREAMS} streams are open, which is the limit: close one`
