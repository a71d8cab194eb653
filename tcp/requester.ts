import { TcpError } from './errors.ts'
import { dropOldest, Exchange, type ExchangeEvents, type ExchangeOptions, type Request } from './requester/exchange.ts'

/**
 * Requests to one address, one exchange after the other. Requests that come while the connection for the first is made go along with
 * it, and the reply belongs to the last of them, as in Node-RED's own node; later ones wait for their turn.
 */
export class Requester<T> {
  private readonly options: ExchangeOptions
  private readonly events: ExchangeEvents<T>
  private waiting: Request<T>[] = []
  private exchange: Exchange<T> | undefined

  constructor(options: ExchangeOptions, events: ExchangeEvents<T>) {
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
        this.events.onEnded(state, error)
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
