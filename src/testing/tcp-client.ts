import { once } from 'node:events'
import { connect, type Socket } from 'node:net'

const DEFAULT_WITHIN_MS = 5_000
const SILENCE_MS = 300
const SHOWN_BYTES = 200

type Within = { within?: number }

/**
 * One end of a TCP connection, for tests: sends, and waits for what comes with a deadline. Whatever arrives is kept until an
 * `expect…` takes it, so nothing is missed between two calls.
 */
export class TcpClient implements AsyncDisposable {
  readonly socket: Socket
  private received: Buffer[] = []
  private size = 0
  private closed = false
  private broken = false
  private wake: () => void = () => {}

  /** Wraps a socket that is connected or about to be. */
  constructor(socket: Socket) {
    this.socket = socket
    socket.on('data', (chunk) => {
      this.received.push(chunk)
      this.size += chunk.length
      this.wake()
    })
    socket.on('end', () => {
      this.closed = true
      this.wake()
    })
    socket.on('close', () => {
      this.closed = true
      this.wake()
    })
    // A reset shows as a close, which tests ask for by expectClose.
    socket.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'ECONNRESET') return
      this.broken = true
      this.closed = true
    })
  }

  /**
   * Connects to a listening port. A peer that accepts and resets at once may be seen before or after the connect: either way
   * the client is there, and closed.
   */
  static async connect(port: number, host = '127.0.0.1'): Promise<TcpClient> {
    const socket = connect({ port, host, noDelay: true })
    const client = new TcpClient(socket)
    await once(socket, 'connect').catch((error: unknown) => {
      if (!client.wasReset) throw error
    })
    return client
  }

  /** This end's port, as the other end sees it when nothing is in between. */
  get localPort(): number {
    return this.socket.localPort!
  }

  /** How many bytes have arrived and were not taken yet. */
  get available(): number {
    return this.size
  }

  /** Whether the other end has closed the connection. */
  get isClosed(): boolean {
    return this.closed
  }

  /** Whether the other end reset the connection (RST) rather than closing it (FIN). */
  get wasReset(): boolean {
    return this.broken
  }

  /** Sends bytes, or text as UTF-8; resolves when they are handed to the kernel. */
  async send(data: string | Uint8Array): Promise<void> {
    await new Promise<void>((resolve, reject) => this.socket.write(data, (error) => (error ? reject(error) : resolve())))
  }

  /** Waits until exactly these bytes (or this text) arrive next. @throws at the deadline, or when others arrive */
  async expect(data: string | Uint8Array, { within = DEFAULT_WITHIN_MS }: Within = {}): Promise<void> {
    const expected = Buffer.from(data as Uint8Array)
    await this.until(
      () => this.size >= expected.length,
      within,
      () => `${expected.length} bytes expected (${show(expected)}), received ${this.describe()}`,
    )
    const actual = this.take(expected.length)
    if (!actual.equals(expected)) throw new Error(`expected ${show(expected)}, received ${show(actual)}`)
  }

  /** Waits for this many bytes of any value. @throws at the deadline */
  async read(bytes: number, { within = DEFAULT_WITHIN_MS }: Within = {}): Promise<Buffer> {
    await this.until(
      () => this.size >= bytes,
      within,
      () => `${bytes} bytes expected, received ${this.describe()}`,
    )
    return this.take(bytes)
  }

  /** Makes sure that nothing arrives for a while. */
  async expectSilence(ms = SILENCE_MS): Promise<void> {
    const spoke = await this.until(
      () => this.size > 0,
      ms,
      () => '',
    ).then(
      () => true,
      () => false,
    )
    if (spoke) throw new Error(`silence expected, received ${this.describe()}`)
  }

  /** Waits until the other end has closed the connection, by FIN or RST. */
  async expectClose({ within = DEFAULT_WITHIN_MS }: Within = {}): Promise<void> {
    await this.until(
      () => this.closed,
      within,
      () => `close expected, received ${this.describe()}`,
    )
  }

  /** Closes the sending side (FIN) and goes on reading. */
  end(): void {
    this.socket.end()
  }

  /** Resets the connection (RST). */
  reset(): void {
    this.socket.resetAndDestroy()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.socket.destroy()
    await Promise.resolve()
  }

  private take(bytes: number): Buffer {
    const all = Buffer.concat(this.received)
    const rest = all.subarray(bytes)
    this.received = rest.length > 0 ? [rest] : []
    this.size = rest.length
    return all.subarray(0, bytes)
  }

  private describe(): string {
    return `${this.size} bytes (${show(Buffer.concat(this.received))})${this.closed ? ', then the connection was closed' : ''}`
  }

  private async until(condition: () => boolean, within: number, message: () => string): Promise<void> {
    const deadline = Date.now() + within
    while (!condition()) {
      const left = deadline - Date.now()
      if (left <= 0) throw new Error(`${message()} after ${within} ms`)
      let timer: NodeJS.Timeout | undefined
      await new Promise<void>((resolve) => {
        this.wake = resolve
        timer = setTimeout(resolve, left)
      })
      clearTimeout(timer)
    }
  }
}

function show(bytes: Buffer): string {
  return JSON.stringify(bytes.subarray(0, SHOWN_BYTES).toString('latin1')) + (bytes.length > SHOWN_BYTES ? '…' : '')
}
