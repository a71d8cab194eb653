import { isDeepStrictEqual } from 'node:util'
import { formatAddress } from '../text/address.ts'
import { TcpError } from './errors.ts'
import { Exchange, type ExchangeEvents, type ExchangeOptions } from './requester/exchange.ts'
import { Line, type Request } from './requester/line.ts'

export type RequesterEvents<T> = ExchangeEvents<T> & {
  /** More wait than before, or fewer. */
  onWaiting: () => void
  /** Idle: nothing is in progress, and nothing waits. */
  onIdle: () => void
}

/**
 * Requests to one address, one exchange after the other. Requests that come while the connection for the first is made, or while the one
 * before ends, go along with it, and the reply belongs to the last of them, as in Node-RED's own node; later ones wait for their turn. Each
 * exchange has a connection of its own, so that an answer that comes too late is nobody else's.
 */
export class Requester<T> {
  private options: ExchangeOptions
  private events: RequesterEvents<T>
  private readonly line: Line<T>
  private exchange: Exchange<T> | undefined
  /** All that wait came while there was no connection any more. */
  private cameTogether = false
  private stopped = false

  constructor(options: ExchangeOptions, events: RequesterEvents<T>) {
    this.options = options
    this.events = events
    const { host, port, maxWaiting, writeLimit } = options
    this.line = new Line(formatAddress(host, port), { requests: maxWaiting, bytes: writeLimit.bytes }, options.budget)
  }

  get host(): string {
    return this.options.host
  }

  get port(): number {
    return this.options.port
  }

  get isConnected(): boolean {
    return this.exchange?.isConnected ?? false
  }

  /** How many requests wait for their turn, or for the connection. */
  get waiting(): number {
    return this.line.length + (this.exchange?.waiting ?? 0)
  }

  send(request: Request<T>): void {
    const { exchange } = this
    if (exchange?.takesMore && this.line.length === 0) {
      exchange.add(request)
    } else {
      if (this.line.length === 0) this.cameTogether = exchange?.isOver === true && !this.options.separate
      this.line.push(request)
      if (exchange) exchange.setOthersWait(true)
      else this.next()
    }
    this.events.onWaiting()
  }

  /**
   * Another has it now. What was sent is answered as it was asked. Gives back what was not, if it is to be asked in another way: the options
   * are others, or the requests go elsewhere (`moved`).
   */
  adopt(options: ExchangeOptions, events: RequesterEvents<T>, { moved }: { moved: boolean }): Request<T>[] {
    this.events = events
    if (!moved && isDeepStrictEqual(options, this.options)) return []
    this.options = options
    const waiting = this.line.takeAll()
    return [...(this.exchange?.withdraw() ?? []), ...waiting]
  }

  /** Ends the connection and whatever waits, for good. */
  stop(reason: string): void {
    this.stopped = true
    this.exchange?.abort(new TcpError('SESSION_CLOSED', reason))
    for (const { done } of this.line.takeAll()) done(new TcpError('SESSION_CLOSED', `${reason}; the request was not sent`))
  }

  private next(): void {
    const first = this.line.shift()
    if (!first) return this.events.onIdle()
    this.exchange = new Exchange(first, this.options, {
      onReply: (...reply) => this.events.onReply(...reply),
      onFailure: (...failure) => this.events.onFailure(...failure),
      onConnected: () => this.events.onConnected(),
      onEnded: (state, error) => {
        this.events.onEnded(state, error)
        // The peer is unreachable: waiting requests would fail too, only later.
        if (state === 'failed' && error) for (const { done } of this.line.takeAll()) done(error)
      },
      onGone: () => {
        this.exchange = undefined
        if (!this.stopped) this.next()
      },
    })
    // A connection that stays has no end that the others could wait for.
    if (this.options.end.kind === 'stay' || this.cameTogether) for (const request of this.line.takeAll()) this.exchange.add(request)
    this.exchange.countUnsent()
    this.exchange.setOthersWait(this.line.length > 0)
    this.events.onWaiting()
  }
}
