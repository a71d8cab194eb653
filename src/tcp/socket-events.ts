import type { Socket } from 'node:net'

/** Receives the events of a socket. */
export type SocketListener = {
  received: (chunk: Buffer) => void
  /** The peer sends nothing more (FIN). */
  ended: () => void
  /** `closed` follows. */
  broke: (error: Error) => void
  /** Nothing has arrived for the socket's timeout. */
  fellSilent: () => void
  closed: () => void
}

// Functions that all sockets share, and the listener on the socket: five closures each would be a quarter of an idle connection.
const LISTENER = Symbol('listener')
type HeardSocket = Socket & { [LISTENER]: SocketListener }

/** Sends all events of a socket to one handler, for good. */
export function listenTo(socket: Socket, listener: SocketListener): void {
  Object.assign(socket, { [LISTENER]: listener })
  socket.on('data', onData)
  // Before Node's own listener, behind which a socket that is not half-open takes nothing more.
  socket.prependListener('end', onEnd)
  socket.on('error', onError)
  socket.on('timeout', onTimeout)
  socket.on('close', onClose)
}

function onData(this: HeardSocket, chunk: Buffer): void {
  this[LISTENER].received(chunk)
}

function onEnd(this: HeardSocket): void {
  this[LISTENER].ended()
}

function onError(this: HeardSocket, error: Error): void {
  this[LISTENER].broke(error)
}

function onTimeout(this: HeardSocket): void {
  this[LISTENER].fellSilent()
}

function onClose(this: HeardSocket): void {
  this[LISTENER].closed()
}
