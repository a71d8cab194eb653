import type { Socket } from 'node:net'
import { normalizeAddress } from '../../../tcp/access-list.ts'
import { pauseAfter } from '../faults.ts'
import type { Link, Peer } from '../peer.ts'
import type { Host } from './transport.ts'
import { noticeOfSocketError } from '../errors.ts'

// As the tcp nodes do: whoever sends and ends at once still gets an answer that takes a moment.
const LINGER_MS = 200
// What is left to be sent when a connection is closed gets so long.
const CLOSE_MS = 2_000

type Options = {
  /** Takes received bytes instead of the peer. */
  onData?: (peer: Peer, chunk: Buffer) => void
  onEnd?: (peer: Peer) => void
  onGone?: (peer: Peer) => void
}

/** What a socket can do for its peer. */
export function linkOf(socket: Socket): Link {
  return {
    address: normalizeAddress(socket.remoteAddress ?? ''),
    port: socket.remotePort ?? 0,
    write: (bytes, done) => void socket.write(bytes, () => done()),
    finish: () => void socket.end(),
    reset: () => void socket.resetAndDestroy(),
    destroy() {
      socket.end()
      setTimeout(() => socket.destroy(), CLOSE_MS).unref()
    },
    get waiting() {
      return socket.writableLength
    },
  }
}

/** Makes a connected socket a peer; it was opened with `allowHalfOpen`. Undefined when there are too many: the socket is closed then. */
export function attachSocket(socket: Socket, host: Host, { onData, onEnd, onGone }: Options = {}): Peer | undefined {
  let failure: Error | undefined
  let linger: NodeJS.Timeout | undefined
  let pausing: NodeJS.Timeout | undefined
  socket.on('error', (error) => (failure = error))
  const peer = host.join(linkOf(socket))
  if (peer === undefined) {
    socket.destroy()
    return undefined
  }
  socket.setNoDelay(true)
  socket.on('data', (chunk: Buffer) => {
    if (onData) onData(peer, chunk)
    else peer.received(chunk)
    const ms = pauseAfter(chunk.length, host.faults())
    if (ms === 0) return
    socket.pause()
    pausing = setTimeout(() => socket.resume(), ms)
  })
  socket.on('end', () => {
    host.ended(peer)
    if (onEnd) onEnd(peer)
    else linger = setTimeout(() => socket.end(), LINGER_MS)
  })
  socket.once('close', () => {
    clearTimeout(linger)
    clearTimeout(pausing)
    host.leave(peer, failure && noticeOfSocketError(failure, { peer: peer.id }))
    onGone?.(peer)
  })
  return peer
}
