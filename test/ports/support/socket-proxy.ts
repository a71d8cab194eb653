import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'

const ENGINE = '/var/run/docker.sock'

/** Stands in front of the Docker engine, so that one program can lose it while it runs for all others. */
export class SocketProxy {
  private readonly server: Server
  private readonly sockets = new Set<Socket>()

  private constructor(server: Server) {
    this.server = server
    server.on('connection', (socket) => {
      const engine = connect(ENGINE)
      for (const each of [socket, engine]) {
        this.sockets.add(each)
        each.on('error', () => {})
        each.on('close', () => {
          this.sockets.delete(each)
          socket.destroy()
          engine.destroy()
        })
      }
      socket.pipe(engine).pipe(socket)
    })
  }

  static async listen(path: string): Promise<SocketProxy> {
    const server = createServer({ allowHalfOpen: true }).listen(path)
    await once(server, 'listening')
    return new SocketProxy(server)
  }

  /** Takes the socket away and breaks what goes through it. */
  async close(): Promise<void> {
    if (!this.server.listening) return
    this.server.close()
    for (const socket of this.sockets) socket.destroy()
    await once(this.server, 'close')
  }
}
