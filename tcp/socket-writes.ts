import type { Socket } from 'node:net'
import { TLSSocket } from 'node:tls'

const NOTHING = Buffer.alloc(0)

// More than this is no matter of saving segments; to hold it would only make the peer look slow.
const MAX_HELD_BYTES = 64 * 1024

let turn = 1
let ends = false
const corked: Socket[] = []

/**
 * Makes one segment of what is written to a socket within one turn of the event loop. The first write leaves at once, so that a lone
 * reply does not wait; those that follow are held until the turn ends and leave together. After a turn with several, the first of the next
 * is held too: more are likely to follow. `last` is what the former call for this socket has returned; initially 0.
 */
export function coalesceWrites(socket: Socket, bytes: number, last: number): number {
  if (!ends) {
    ends = true
    setImmediate(endTurn)
  }
  const isFurther = last === turn || last === -turn
  if (socket.writableLength + bytes > MAX_HELD_BYTES) socket.uncork()
  else if ((isFurther || last < 0) && socket.writableCorked === 0) {
    socket.cork()
    corked.push(socket)
  }
  // Negative: there were several.
  return isFurther ? -turn : turn
}

/**
 * Has the kernel take bytes there and then, as it mostly does, TLS apart: undefined when it has them all. A write with a callback would tell
 * only a turn later, at a good part of the cost of an echo. What is returned instead is to be written with a callback, which then stands
 * for all of the bytes: they themselves, or nothing, behind them.
 */
export function offerToKernel(socket: Socket, bytes: Buffer): Buffer | undefined {
  if (socket.writableLength > 0 || socket.writableCorked > 0 || socket instanceof TLSSocket) return bytes
  socket.write(bytes)
  return socket.writableLength === 0 && !socket.errored ? undefined : NOTHING
}

function endTurn(): void {
  turn += 1
  ends = false
  // A socket that was ended or destroyed meanwhile takes this for nothing.
  for (const socket of corked.splice(0)) socket.uncork()
}
