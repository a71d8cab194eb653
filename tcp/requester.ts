import { connect, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { TcpError } from './errors.ts'
import { createIntake, type IntakeOptions, type Payload } from './intake.ts'
import { clientTlsOptions, type TlsMaterial } from './tls.ts'

/** When a reply is whole. Times in milliseconds, counts in bytes. */
export type ReplyEnd =
  /** So long after its first byte. */
  | { kind: 'time'; ms: number }
  /** With this byte. */
  | { kind: 'byte'; byte: number }
  | { kind: 'count'; bytes: number }
  /** Nothing is waited for: the connection ends once the request is sent. */
  | { kind: 'none' }
  /** Never: the connection stays, and all that comes is passed on, cut by `intake`. */
  | { kind: 'stay'; intake: IntakeOptions }

export type RequesterOptions = {
  host: string
  port: number
  tls: TlsMaterial | undefined
  end: ReplyEnd
  /** The longest reply, in bytes. */
  maxReply: number
  /** How many requests may wait. The oldest gives way, with an error. */
  maxWaiting: number
  /** Nothing sent and nothing received for so long is an error; 0: never. */
  timeoutMs: number
  /** One connection for each request, even for those that come while another is connecting. */
  separate: boolean
}

/** A request: its bytes, none to connect and listen only. `done` is called when they are sent, or with the error when they were not. */
export type Request<T> = { about: T; bytes: Buffer | undefined; done: (error?: Error) => void }

export type RequesterEvents<T> = {
  /** A reply to the request `about`; `partial`: the peer ended before it was whole. */
  onReply: (about: T, payload: Payload, partial: boolean) => void
  /** The request was sent, but its reply will not come. */
  onFailure: (about: T, error: TcpError) => void
  onConnected: () => void
  onEnded: (state: 'replied' | 'disconnected' | 'failed') => void
}

/**
 * Requests to one address, one exchange after the other. Requests that come while the connection for the first is made go along with
 * it, and the reply belongs to the last of them, as in Node-RED's own node; later ones wait for their turn.
 */
export class Requester<T> {
  private readonly options: RequesterOptions
  private readonly events: RequesterEvents<T>
  private waiting: Request<T>[] = []
  private exchange: Exchange<T> | undefined

  constructor(options: RequesterOptions, events: RequesterEvents<T>) {
    this.options = options
    this.events = events
  }

  get isConnected(): boolean {
    return this.exchange?.isConnected ?? false
  }

  send(request: Request<T>): void {
    const { exchange } = this
    if (exchange?.takesMore && this.waiting.length === 0) return exchange.add(request)
    this.waiting.push(request)
    if (this.waiting.length > this.options.maxWaiting) dropOldest(this.waiting, this.options.maxWaiting)
    if (!exchange) this.next()
  }

  /** Ends the connection and whatever waits. */
  stop(reason: string): void {
    const waiting = this.waiting
    this.waiting = []
    this.exchange?.abort(new TcpError('SESSION_CLOSED', reason))
    for (const { done } of waiting) done(new TcpError('SESSION_CLOSED', `${reason}; the request was not sent`))
  }

  private next(): void {
    const first = this.waiting.shift()
    if (!first) return
    this.exchange = new Exchange(first, this.options, {
      ...this.events,
      onEnded: (state, error) => {
        this.exchange = undefined
        this.events.onEnded(state)
        // Nobody there: those that wait would fare no better, and would wait long to learn it.
        if (state === 'failed' && error) this.failWaiting(error)
        this.next()
      },
    })
  }

  private failWaiting(error: TcpError): void {
    const waiting = this.waiting
    this.waiting = []
    for (const { done } of waiting) done(error)
  }
}

type ExchangeEvents<T> = Omit<RequesterEvents<T>, 'onEnded'> & {
  onEnded: (state: 'replied' | 'disconnected' | 'failed', error?: TcpError) => void
}

/** One connection, from its making to its end. */
class Exchange<T> {
  private readonly options: RequesterOptions
  private readonly events: ExchangeEvents<T>
  private readonly socket: Socket
  private readonly reply: ReplyReader
  private unsent: Request<T>[]
  private latest: T
  private connected = false
  private over = false

  constructor(first: Request<T>, options: RequesterOptions, events: ExchangeEvents<T>) {
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

/** Collects a reply until it is whole. */
type ReplyReader = {
  push: (chunk: Buffer) => void
  /** The peer has ended; true when something was passed on, or nothing more was to be expected. */
  end: () => boolean
  /** Whether no reply is owed: the connection stays, and what comes is not asked for. */
  readonly isIdle: boolean
  stop: () => void
}

type ReplyEvents = { onReply: (payload: Payload, partial: boolean) => void; onWhole: () => void }

function createReplyReader(options: RequesterOptions, events: ReplyEvents): ReplyReader {
  return options.end.kind === 'stay' ? createStream(options.end.intake, events) : createCollector(options, events)
}

function createStream(intakeOptions: IntakeOptions, { onReply }: ReplyEvents): ReplyReader {
  const intake = createIntake(intakeOptions, () => pull())
  const pull = () => {
    for (let payload = intake.next(); payload !== undefined; payload = intake.next()) onReply(payload, false)
  }
  return {
    push(chunk) {
      intake.push(chunk)
      pull()
    },
    end() {
      const tail = intake.flush()
      if (tail) onReply(tail.payload, !tail.complete)
      return true
    },
    isIdle: true,
    stop: intake.stop,
  }
}

function createCollector({ end, maxReply }: RequesterOptions, { onReply, onWhole }: ReplyEvents): ReplyReader {
  const chunks: Buffer[] = []
  let size = 0
  let timer: NodeJS.Timeout | undefined
  const whole = (length: number, partial: boolean) => {
    clearTimeout(timer)
    onReply(Buffer.concat(chunks).subarray(0, length), partial)
    if (!partial) onWhole()
  }
  return {
    push(chunk) {
      chunks.push(chunk)
      const before = size
      size += chunk.length
      if (end.kind === 'time') timer ??= setTimeout(() => whole(size, false), end.ms)
      const length = end.kind === 'byte' ? endingWith(chunk, end.byte, before) : end.kind === 'count' ? Math.max(1, end.bytes) : Infinity
      if (length <= size) whole(length, false)
      else if (size > maxReply) throw new Error(`longer than the limit of ${maxReply} bytes`)
    },
    end() {
      if (size === 0) return false
      // By time alone a reply has no other end than this.
      whole(size, end.kind !== 'time')
      return true
    },
    isIdle: false,
    stop: () => clearTimeout(timer),
  }
}

function endingWith(chunk: Buffer, byte: number, before: number): number {
  const index = chunk.indexOf(byte)
  return index === -1 ? Infinity : before + index + 1
}

function dropOldest<T>(requests: Request<T>[], most: number): void {
  requests.shift()?.done(new TcpError('QUEUE_LIMIT', `more than ${most} requests wait; the oldest was dropped and not sent`))
}
