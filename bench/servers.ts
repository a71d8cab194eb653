// What the hand-written servers have in common.
import { createServer, type Socket } from 'node:net'

/** Listens as a Node-RED node does: on all addresses. */
export function listen(port: number, onSocket: (socket: Socket) => void): void {
  const server = createServer({ noDelay: true }, (socket) => {
    // A peer that breaks off is closed by Node; there is nothing more to do about it.
    socket.on('error', () => {})
    onSocket(socket)
  })
  server.listen(port)
}

/** Listens for clients that receive only; the set has those that are connected. */
export function listenForReceivers(port: number): ReadonlySet<Socket> {
  const receivers = new Set<Socket>()
  listen(port, (socket) => {
    receivers.add(socket)
    socket.on('close', () => receivers.delete(socket))
    socket.resume()
  })
  return receivers
}

/** Calls back for every line, without its delimiter. Linear however long a line is. */
export function onLines(socket: Socket, onLine: (line: string) => void): void {
  let parts: string[] = []
  socket.setEncoding('utf8')
  socket.on('data', (text: string) => {
    const [first = '', ...others] = text.split('\n')
    parts.push(first)
    for (const part of others) {
      onLine(parts.join(''))
      parts = [part]
    }
  })
}
