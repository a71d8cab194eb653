import type { Socket } from 'node:net'

let turn = 1
let ends = false
const corked: Socket[] = []

/**
 * Makes one segment of what is written to a socket within one turn of the event loop: the first write leaves at once, so that a lone
 * reply does not wait; those that follow are held until the turn ends and leave together. `lastTurn` is what the former call for this
 * socket has returned; initially 0.
 */
export function coalesceWrites(socket: Socket, lastTurn: number): number {
  if (!ends) {
    ends = true
    setImmediate(endTurn)
  }
  if (lastTurn === turn && socket.writableCorked === 0) {
    socket.cork()
    corked.push(socket)
  }
  return turn
}

function endTurn(): void {
  turn += 1
  ends = false
  // A socket that was ended or destroyed meanwhile takes this for nothing.
  for (const socket of corked.splice(0)) socket.uncork()
}
