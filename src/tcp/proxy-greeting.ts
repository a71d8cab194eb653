// What a connection begins with where the PROXY protocol is spoken: a header from relays, none from other peers.
import type { Socket } from 'node:net'
import { normalizeAddress } from './access-list.ts'
import { createProxyParser, startsLikeProxyHeader } from './proxy-protocol.ts'
import type { Screen, SessionAddress } from './session.ts'

type Greeting = {
  /** The relay's own address, for connections that it makes for itself. */
  relay: string
  timeoutMs: number
  onAddress: (address: SessionAddress) => void
  onRefused: (why: string) => void
}

// As long as it takes a relay's header to come in pieces, and too short for a device's greeting to be missed.
const SCREEN_MS = 100
// When the process was busy for longer than a time-out, its timers fire before sockets are looked at; what has come meanwhile counts: so
// each has one more turn of the event loop.

/**
 * Reads the header of a relay that is trusted, which says whom it speaks for; exactly one of the two callbacks is called. There is one
 * time-out for the first byte and one for all of the header from there on, however its bytes come.
 */
export function readProxyHeader(socket: Socket, { relay, timeoutMs, onAddress, onRefused }: Greeting): void {
  const parser = createProxyParser()
  let begun = false
  const onData = (chunk: Buffer) => {
    if (!begun) {
      timer.refresh()
      clearImmediate(lastLook)
    }
    begun = true
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
  const late = () => refuse(begun ? `its PROXY protocol header was not whole after ${timeoutMs} ms` : 'no PROXY protocol header came')
  const timer = setTimeout(() => (lastLook = setImmediate(late)), timeoutMs)
  let lastLook: NodeJS.Immediate | undefined
  const onGone = () => refuse('it ended before a PROXY protocol header')
  const handlers = [
    ['data', onData],
    ['end', onGone],
    ['close', onGone],
  ] as const
  const leave = () => {
    socket.pause()
    for (const [event, handler] of handlers) socket.off(event, handler)
    clearTimeout(timer)
    clearImmediate(lastLook)
  }
  for (const [event, handler] of handlers) socket.on(event, handler)
  socket.resume()
}

/**
 * Holds a session's first bytes until they cannot be a PROXY protocol header any more, at most for a moment: a device may begin with the
 * same bytes. Calls `refuse` when they are one, `pass` when the moment is over.
 */
export function screenProxyHeader({ refuse, pass }: { refuse: () => void; pass: () => void }): Screen {
  let held: Buffer = Buffer.alloc(0)
  let timer: NodeJS.Timeout | undefined
  let lastLook: NodeJS.Immediate | undefined
  const stop = () => {
    clearTimeout(timer)
    clearImmediate(lastLook)
  }
  return {
    push(chunk) {
      held = Buffer.concat([held, chunk])
      const verdict = startsLikeProxyHeader(held)
      if (verdict === 'maybe') timer ??= setTimeout(() => (lastLook = setImmediate(pass)), SCREEN_MS)
      else stop()
      if (verdict === 'no') return held
      if (verdict === 'yes') {
        held = Buffer.alloc(0)
        refuse()
      }
      return undefined
    },
    flush() {
      stop()
      return held
    },
  }
}
