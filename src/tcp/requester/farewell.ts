// How our connections end, so that a device that accepts one at a time is free for the next.
import type { Socket } from 'node:net'

// Most devices answer FIN with FIN within a round trip; one that does not keeps others waiting.
const ANSWER_MS = 50
// A device that has ended first learns by our FIN that it may take the next connection.
const READY_MS = 10
// A peer that is not asked for anything has so long for its own end; and so many peers may take it.
const LINGER_MS = 1_000
const MAX_LINGERING = 64

const lingering = new Set<Socket>()

/** Ends a connection that has nothing more to send. `gone` is called when the device may be dialled again. */
export function part(socket: Socket, { peerEnded, gone }: { peerEnded: boolean; gone: () => void }): void {
  if (socket.closed) return void setImmediate(gone)
  socket.once('close', () => {
    if (peerEnded) setTimeout(gone, READY_MS)
    else gone()
  })
  if (peerEnded || socket.connecting || socket.writableLength > 0) return void socket.destroy()
  destroyAfter(socket, ANSWER_MS)
  socket.end()
}

/** Lets a peer that has been sent FIN come to its own end, while others are dialled. */
export function linger(socket: Socket): void {
  lingering.add(socket)
  socket.once('close', () => lingering.delete(socket))
  destroyAfter(socket, LINGER_MS)
  const [oldest] = lingering
  if (lingering.size > MAX_LINGERING) oldest?.destroy()
}

function destroyAfter(socket: Socket, ms: number): void {
  socket.setTimeout(0)
  // Unread bytes would make the kernel reset the connection.
  socket.resume()
  const timer = setTimeout(() => socket.destroy(), ms)
  socket.once('close', () => clearTimeout(timer))
}
