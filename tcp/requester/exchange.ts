import { connect, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { TcpError } from '../errors.ts'
import type { Payload } from '../intake.ts'
import { clientTlsOptions, type TlsMaterial } from '../tls.ts'
import { createReplyReader, type ReplyOptions, type ReplyReader } from './reply.ts'

export type ExchangeOptions = ReplyOptions & {
  host: string
  port: number
  tls: TlsMaterial | undefined
  /** How many requests may wait. The oldest gives way, with an error. */
  maxWaiting: number
  /** Nothing sent and nothing received for so long is an error; 0: never. */
  timeoutMs: number
  /** One connection for each request, even for those that come while another is connecting. */
  separate: boolean
}

/** A request: its bytes, none to connect and listen only. `done` is called when they are sent, or with the error when they were not. */
export type Request<T> = { about: T; bytes: Buffer | undefined; done: (error?: Error) => void }

export type ExchangeEvents<T> = {
  /** A reply to the request `about`; `partial`: the peer ended before it was whole. */
  onReply: (about: T, payload: Payload, partial: boolean) => void
  /** The request was sent, but its reply will not come. */
  onFailure: (about: T, error: TcpError) => void
  onConnected: () => void
  /** `error`: nobody was there. */
  onEnded: (state: 'replied' | 'disconnected' | 'failed', error?: TcpError) => void
}

/** One connection, from its making to its end. */
export class Exchange<T> {
  private readonly options: ExchangeOptions
  private readonly events: ExchangeEvents<T>
  private readonly socket: Socket
  private readonly reply: ReplyReader
  private unsent: Request<T>[]
  private latest: T
  private connected = false
  private over = false

  constructor(first: Request<T>, options: ExchangeOptions, events: ExchangeEvents<T>) {
    this.options = options
    this.events = events
    this.unsent = [first]
    this.latest = first.about
    this.reply = createReplyReader(options, {
      onReply: (payload, partial) => events.onReply(this.latest, payload, partial),
      onWhole: () => this.finish('replied'),
    })
    const { host, port, tls } = options
    this.socket = tls ? connectTls(clientTlsOptions(tls, { host, port })) : connect({ host, port })
    this.socket.setNoDelay(true)
    this.socket.setTimeout(options.timeoutMs)
    this.socket.once(tls ? 'secureConnect' : 'connect', () => this.onConnect())
    this.socket.on('data', (chunk: Buffer) => this.onData(chunk))
    this.socket.on('end', () => this.onEnd())
    this.socket.on('timeout', () => this.fail(new TcpError('IDLE', `${this.peer} has not answered within ${options.timeoutMs} ms`)))
    this.socket.on('error', (error) => this.onError(error))
    this.socket.on('close', () => this.fail(new TcpError('SESSION_CLOSED', `the connection to ${this.peer} was closed`)))
  }

  get isConnected(): boolean {
    return this.connected
  }

  /** Whether a further request goes over this connection: while it is made, or when it stays. */
  get takesMore(): boolean {
    if (this.over) return false
    if (this.options.end.kind === 'stay') return true
    return !this.connected && !this.options.separate
  }

  add(request: Request<T>): void {
    this.latest = request.about
    if (this.connected) return this.write(request)
    this.unsent.push(request)
    if (this.unsent.length > this.options.maxWaiting) dropOldest(this.unsent, this.options.maxWaiting)
  }

  abort(error: TcpError): void {
    this.fail(error)
  }

  private get peer(): string {
    return `${this.options.host}:${this.options.port}`
  }

  private onConnect(): void {
    this.connected = true
    this.events.onConnected()
    const requests = this.unsent
    this.unsent = []
    // Together, so that the peer sees one request where it is one.
    this.socket.cork()
    for (const request of requests) this.write(request)
    this.socket.uncork()
    if (this.options.end.kind === 'none') {
      this.over = true
      this.socket.end(() => this.events.onEnded('replied'))
      this.socket.resume()
    }
  }

  private write({ bytes, done }: Request<T>): void {
    if (bytes === undefined) return done()
    this.socket.write(bytes, (error) =>
      done(error ? new TcpError('SESSION_CLOSED', `${this.peer}: ${error.message}`, { cause: error }) : undefined),
    )
  }

  private onData(chunk: Buffer): void {
    if (this.over) return
    try {
      this.reply.push(chunk)
    } catch (error) {
      this.fail(new TcpError('FRAMING', `the reply of ${this.peer}: ${(error as Error).message}`, { cause: error }))
    }
  }

  private onEnd(): void {
    if (this.over) return
    if (this.reply.end()) return this.finish('disconnected')
    if (this.options.end.kind === 'stay') return this.finish('disconnected')
    this.fail(new TcpError('SESSION_CLOSED', `${this.peer} ended the connection without a reply`))
  }

  private onError(error: Error): void {
    const message = this.connected
      ? `the connection to ${this.peer} broke: ${error.message}`
      : `can not connect to ${this.peer}: ${error.message}`
    this.fail(new TcpError('CONNECT', message, { cause: error }))
  }

  private fail(error: TcpError): void {
    if (this.over) return
    const wasConnected = this.connected
    this.close()
    const unsent = this.unsent
    this.unsent = []
    for (const { done } of unsent) done(error)
    if (wasConnected && !this.reply.isIdle) this.events.onFailure(this.latest, error)
    this.events.onEnded('failed', wasConnected ? undefined : error)
  }

  private finish(state: 'replied' | 'disconnected'): void {
    this.close()
    this.events.onEnded(state)
  }

  private close(): void {
    this.over = true
    this.connected = false
    this.reply.stop()
    this.socket.destroy()
  }
}

/** The oldest of too many requests gives way, with an error. */
export function dropOldest<T>(requests: Request<T>[], most: number): void {
  requests.shift()?.done(new TcpError('QUEUE_LIMIT', `more than ${most} requests wait; the oldest was dropped and not sent`))
}
