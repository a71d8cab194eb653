// What a connection begins with where the PROXY protocol is spoken: a header from relays, none from anybody else.
import type { Socket } from 'node:net'
import { normalizeAddress } from './access-list.ts'
import { createProxyParser, startsLikeProxyHeader } from './proxy-protocol.ts'
import type { Screen, SessionAddress } from './session.ts'

type Greeting = {
  /** The relay's own address, for connections that it makes in its own name. */
  relay: string
  timeoutMs: number
  onAddress: (address: SessionAddress) => void
  onRefused: (why: string) => void
}

/** Reads the header of a relay that is trusted, which says whom it speaks for; exactly one of the two callbacks is called. */
export function readProxyHeader(socket: Socket, { relay, timeoutMs, onAddress, onRefused }: Greeting): void {
  const parser = createProxyParser()
  const onData = (chunk: Buffer) => {
    try {
      const header = parser.push(chunk)
      if (!header) return
      leave()
      if (header.rest.length > 0) socket.unshift(header.rest)
      const { sourceAddress, sourcePort } = header
      const own = { ip: relay, port: socket.remotePort ?? 0 }
      onAddress(sourceAddress === undefined ? own : { ip: normalizeAddress(sourceAddress), port: sourcePort ?? 0 })
    } catch (error) {
      refuse((error as Error).message)
    }
  }
  const refuse = (why: string) => {
    leave()
    onRefused(why)
  }
  const onTimeout = () => refuse('no PROXY protocol header came')
  const onGone = () => refuse('it ended before a PROXY protocol header')
  const handlers = [
    ['data', onData],
    ['timeout', onTimeout],
    ['end', onGone],
    ['close', onGone],
  ] as const
  const leave = () => {
    socket.pause()
    for (const [event, handler] of handlers) socket.off(event, handler)
    socket.setTimeout(0)
  }
  for (const [event, handler] of handlers) socket.on(event, handler)
  socket.setTimeout(timeoutMs)
  socket.resume()
}

/** Holds a session's first bytes until they can not be a PROXY protocol header any more; calls `refuse` when they are one. */
export function screenProxyHeader(refuse: () => void): Screen {
  let held: Buffer = Buffer.alloc(0)
  return {
    push(chunk) {
      held = Buffer.concat([held, chunk])
      const verdict = startsLikeProxyHeader(held)
      if (verdict === 'yes') refuse()
      return verdict === 'no' ? held : undefined
    },
    flush: () => held,
  }
}
