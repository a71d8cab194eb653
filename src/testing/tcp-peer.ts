import { once } from 'node:events'
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { TcpClient } from './tcp-client.ts'

const DEFAULT_WITHIN_MS = 15_000

/** A listening TCP peer on this host, as a debug assistant in server mode or a device would be. */
export class TcpPeer implements AsyncDisposable {
  readonly port: number
  private readonly server: Server
  private readonly sockets = new Set<Socket>()
  private readonly waiting: TcpClient[] = []
  private wake: () => void = () => {}

  private constructor(server: Server) {
    this.server = server
    this.port = (server.address() as AddressInfo).port
    server.on('connection', (socket) => {
      this.sockets.add(socket)
      socket.once('close', () => this.sockets.delete(socket))
      this.waiting.push(new TcpClient(socket))
      this.wake()
    })
  }

  /** Listens on every address of this host, since containers come in by another than 127.0.0.1. */
  static async listen(port = 0): Promise<TcpPeer> {
    const server = createServer({ noDelay: true })
    server.listen(port, '0.0.0.0')
    await once(server, 'listening')
    return new TcpPeer(server)
  }

  /** Waits for the next connection. */
  async accept({ within = DEFAULT_WITHIN_MS }: { within?: number } = {}): Promise<TcpClient> {
    const deadline = Date.now() + within
    while (this.waiting.length === 0) {
      const left = deadline - Date.now()
      if (left <= 0) throw new Error(`nobody connected to port ${this.port} within ${within} ms`)
      let timer: NodeJS.Timeout | undefined
      await new Promise<void>((resolve) => {
        this.wake = resolve
        timer = setTimeout(resolve, left)
      })
      clearTimeout(timer)
    }
    return this.waiting.shift()!
  }

  /** Stops listening and ends all connections. */
  async close(): Promise<void> {
    for (const socket of this.sockets) socket.destroy()
    if (!this.server.listening) return
    this.server.close()
    await once(this.server, 'close')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }
}
