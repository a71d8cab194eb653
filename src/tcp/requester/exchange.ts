import type { Socket } from 'node:net'
import { formatAddress } from '../../text/address.ts'
import type { Account, Budget } from '../budget.ts'
import { describeSlowPeer, TcpError } from '../errors.ts'
import type { Payload } from '../intake/intake.ts'
import { Outbox, type WriteLimit } from '../outbox.ts'
import { openSocket, type TlsMaterial } from '../tls.ts'
import { describeBroken, describeSilence, describeUnended } from './failures.ts'
import { linger, part } from './farewell.ts'
import { Line, type Request } from './line.ts'
import { silenceLimit, wholeReplyLimit, type Patience, type Stage } from './patience.ts'
import { createReplyReader, type ReplyOptions, type ReplyReader } from './reply.ts'

export type ExchangeOptions = ReplyOptions & {
  host: string
  port: number
  tls: TlsMaterial | undefined
  /** How many requests may wait. Beyond that, the oldest fails. */
  maxWaiting: number
  /** How many bytes may wait: in requests, and for a peer that takes them slowly. */
  writeLimit: WriteLimit
  patience: Patience
  /** Counts what is held. */
  budget?: Budget
  /** One connection for each request, even for those that come while another is connecting. */
  separate: boolean
}

export type ExchangeEvents<T> = {
  /** A reply to the request `about`; `partial`: the peer ended before it was whole. */
  onReply: (about: T, payload: Payload, partial: boolean) => void
  /** The request was sent, but its reply will not come. */
  onFailure: (about: T, error: TcpError) => void
  onConnected: () => void
  /** Called once. `error`: the peer could not be reached. */
  onEnded: (state: 'replied' | 'disconnected' | 'failed', error?: TcpError) => void
}

/** One connection, from its making to its end; it ends once. `onGone` follows the end: now the peer may be dialled again. */
export class Exchange<T> {
  private readonly options: ExchangeOptions
  private readonly events: ExchangeEvents<T> & { onGone: () => void }
  private readonly socket: Socket
  private readonly outbox: Outbox
  private readonly reply: ReplyReader
  private readonly unsent: Line<T>
  private readonly account: Account | undefined
  /** Written to the socket, but not taken by the kernel yet. */
  private readonly unwritten = new Set<Request<T>>()
  /** Sent, and a reply is owed. */
  private asked: T[] = []
  private latest: T
  private othersWait = false
  private wholeTimer: NodeJS.Timeout | undefined
  private connected = false
  private over = false
  private peerEnded = false

  constructor(first: Request<T>, options: ExchangeOptions, events: ExchangeEvents<T> & { onGone: () => void }) {
    this.options = options
    this.events = events
    this.unsent = new Line(this.peer, { requests: options.maxWaiting, bytes: options.writeLimit.bytes })
    this.unsent.push(first)
    this.latest = first.about
    this.reply = createReplyReader(options, {
      onReply: (payload, partial) => events.onReply(this.latest, payload, partial),
      onWhole: () => this.finish('replied'),
    })
    const { host, port, tls } = options
    const socket = openSocket({ host, port }, tls)
    this.socket = socket
    this.account = options.budget?.open({ ip: host, label: `${this.peer} (tcp request)`, evict: (error) => this.fail(error) })
    this.outbox = new Outbox(
      socket,
      (bytes) => this.closedError(bytes),
      () => this.account,
    )
    socket.setNoDelay(true)
    socket.once(tls ? 'secureConnect' : 'connect', () => this.onConnect())
    socket.on('data', (chunk: Buffer) => this.onData(chunk))
    socket.on('end', () => this.onEnd())
    socket.on('timeout', () => this.onSilence())
    socket.on('error', (error: Error) => this.onError(error))
    socket.on('close', () => this.fail(this.closedError(0)))
    this.limitSilence()
  }

  get isConnected(): boolean {
    return this.connected
  }

  /** It has ended, though the peer may not be dialled again yet. */
  get isOver(): boolean {
    return this.over
  }

  /** Requests that wait for the connection, beside the one that it is made for. */
  get waiting(): number {
    return Math.max(0, this.unsent.length - 1)
  }

  /** Whether a further request goes over this connection: while it is made, or when it stays. */
  get takesMore(): boolean {
    if (this.over) return false
    if (this.options.end.kind === 'stay') return true
    return !this.connected && !this.options.separate
  }

  add(request: Request<T>): void {
    // The previous one exceeded the limit.
    if (this.over) return request.done(this.closedError(request.bytes?.length ?? 0))
    this.latest = request.about
    if (this.connected) return this.write([request])
    this.unsent.push(request)
    this.countUnsent()
  }

  /** Counts what waits for the connection, which may end it. */
  countUnsent(): void {
    this.account?.setUnsent(this.unsent.size)
  }

  /** Others wait for their turn, or do not any more. */
  setOthersWait(othersWait: boolean): void {
    if (this.over || this.othersWait === othersWait) return
    this.othersWait = othersWait
    this.limitSilence()
    clearTimeout(this.wholeTimer)
    const ms = wholeReplyLimit(this.options.patience)
    if (!othersWait || ms === 0) return
    const { peer } = this
    const giveUp = () => this.stage === 'answering' && this.fail(describeUnended({ peer, end: this.options.end, ms }, this.reply))
    this.wholeTimer = setTimeout(giveUp, ms)
  }

  /**
   * Gives back what was not sent, and ends unless a reply is owed: a connection that is being made, without a word, and one that would stay
   * for ever.
   */
  withdraw(): Request<T>[] {
    if (this.over) return []
    if (this.connected) {
      if (this.options.end.kind === 'stay') this.fail(this.closedError(0))
      return []
    }
    const unsent = this.unsent.takeAll()
    this.close()
    return unsent
  }

  abort(error: TcpError): void {
    this.fail(error)
  }

  private get peer(): string {
    return formatAddress(this.options.host, this.options.port)
  }

  private get stage(): Stage {
    if (!this.connected) return 'connecting'
    if (this.reply.size > 0) return 'answering'
    return this.unwritten.size > 0 || this.options.end.kind === 'none' ? 'sending' : 'asked'
  }

  private limitSilence(): void {
    const { end, patience } = this.options
    this.socket.setTimeout(silenceLimit(this.stage, end, { patience, othersWait: this.othersWait }))
  }

  private onConnect(): void {
    if (this.over) return
    this.connected = true
    this.events.onConnected()
    const unsent = this.unsent.takeAll()
    this.countUnsent()
    this.write(unsent)
    this.limitSilence()
    if (this.options.end.kind !== 'none') return
    this.outbox.flush()
    this.socket.once('finish', () => this.leave())
    this.socket.end()
  }

  /** Together, so that the peer sees one request where it is one. */
  private write(requests: Request<T>[]): void {
    const parts = requests.map(({ bytes }) => bytes).filter((bytes) => bytes !== undefined)
    const bytes = parts.length === 1 ? parts[0]! : Buffer.concat(parts)
    if (!this.outbox.hasRoom(bytes.length, this.options.writeLimit)) return this.refuse(requests, bytes.length)
    for (const request of requests) this.unwritten.add(request)
    const written = (error?: Error) => {
      for (const request of requests) this.onWritten(request, error)
    }
    // To connect and listen is a request, too.
    if (parts.length === 0) written()
    else this.outbox.write(bytes, written)
  }

  private refuse(requests: Request<T>[], bytes: number): void {
    const limit = this.options.writeLimit
    const error = describeSlowPeer(this.peer, { waiting: this.outbox.size, bytes, limit })
    for (const { done } of requests) done(error)
    if (limit.disconnect) this.fail(error)
  }

  private onWritten(request: Request<T>, error: Error | undefined): void {
    // What has ended meanwhile has told already.
    if (!this.unwritten.delete(request)) return
    request.done(error)
    if (error || this.over || this.options.end.kind === 'none') return
    if (this.options.end.kind === 'stay') this.asked = [request.about]
    else this.asked.push(request.about)
    if (this.unwritten.size === 0) this.limitSilence()
  }

  private onData(chunk: Buffer): void {
    if (this.over) return
    const isFirst = this.reply.size === 0
    // Over a connection that stays nobody can tell what answers what: something has come.
    if (this.options.end.kind === 'stay') this.asked = []
    try {
      this.reply.push(chunk)
    } catch (cause) {
      const { message } = cause as Error
      return this.fail(
        describeBroken(`the reply of ${this.peer}: ${message}`, { reply: this.reply, code: 'FRAMING', cause: cause as Error }),
      )
    }
    this.account?.setReceived(this.reply.held)
    if (isFirst && !this.over) this.limitSilence()
  }

  private onEnd(): void {
    const { kind } = this.options.end
    this.peerEnded = true
    // Without a reply the connection ends once all is sent.
    if (this.over || kind === 'none') return
    if (this.reply.end()) this.finish(kind === 'time' ? 'replied' : 'disconnected')
    else this.fail(new TcpError('SESSION_CLOSED', `${this.peer} ended the connection without a reply`))
  }

  private onSilence(): void {
    const { peer, stage, socket, outbox } = this
    const ms = socket.timeout ?? 0
    const [heard, unsent] = [socket.bytesRead, outbox.size]
    // When the process was busy for longer, its timers fire before anybody looks at what has come meanwhile.
    setImmediate(() => {
      if (this.over || this.stage !== stage || socket.bytesRead !== heard || outbox.size < unsent) return
      this.fail(describeSilence({ peer, stage, end: this.options.end, ms }, { reply: this.reply, unsent }))
    })
  }

  private onError(cause: Error): void {
    const message = this.connected
      ? `the connection to ${this.peer} broke: ${cause.message}`
      : `cannot connect to ${this.peer}: ${cause.message}`
    this.fail(describeBroken(message, { reply: this.reply, code: 'CONNECT', cause }))
  }

  private closedError(bytes: number): TcpError {
    const unsent = bytes > 0 ? `, ${bytes} bytes were not sent` : ''
    return new TcpError('SESSION_CLOSED', `the connection to ${this.peer} was closed${unsent}`)
  }

  private fail(error: TcpError): void {
    if (this.over) return
    // A peer that resets a connection attempt is reachable.
    const wasThere = this.connected || isReset(error.cause)
    const { asked } = this
    this.close()
    for (const { done } of this.unsent.takeAll()) done(error)
    this.endUnwritten(error)
    for (const about of asked) this.events.onFailure(about, error)
    this.events.onEnded('failed', wasThere ? undefined : error)
  }

  private finish(state: 'replied' | 'disconnected'): void {
    if (this.over) return
    this.close()
    // Whoever answers has got what there was to get.
    this.endUnwritten(state === 'replied' ? undefined : this.closedError(this.outbox.size))
    this.events.onEnded(state)
  }

  private endUnwritten(error: Error | undefined): void {
    const requests = [...this.unwritten]
    this.unwritten.clear()
    for (const { done } of requests) done(error)
  }

  private close(): void {
    this.beOver()
    part(this.socket, { peerEnded: this.peerEnded, gone: this.events.onGone })
  }

  private beOver(): void {
    this.over = true
    this.connected = false
    this.asked = []
    this.reply.stop()
    this.account?.close()
    clearTimeout(this.wholeTimer)
  }

  /** Everything is sent, and no reply is expected. */
  private leave(): void {
    if (this.over) return
    this.beOver()
    linger(this.socket)
    this.endUnwritten(undefined)
    this.events.onEnded('replied')
    this.events.onGone()
  }
}

function isReset(cause: unknown): boolean {
  const { code } = Object(cause) as NodeJS.ErrnoException
  return code === 'ECONNRESET' || code === 'EPIPE'
}
