import type { Account, Budget } from '../budget.ts'
import { TcpError } from '../errors.ts'

/** A request: its bytes, none to connect and listen only. `done` is called when they are sent, or with the error when they were not. */
export type Request<T> = { about: T; bytes: Buffer | undefined; done: (error?: Error) => void }

/** How many requests, and how many bytes of them, may wait for one peer. */
export type LineLimit = { requests: number; bytes: number }

/** Waiting requests, in order. When there are too many, the oldest fails; the newest always gets in. */
export class Line<T> {
  private readonly peer: string
  private readonly limit: LineLimit
  private requests: Request<T>[] = []
  private bytes = 0
  private account: Account | undefined
  private readonly budget: Budget | undefined

  constructor(peer: string, limit: LineLimit, budget?: Budget) {
    this.peer = peer
    this.limit = limit
    this.budget = budget
  }

  get length(): number {
    return this.requests.length
  }

  /** How many bytes wait. */
  get size(): number {
    return this.bytes
  }

  push(request: Request<T>): void {
    this.requests.push(request)
    this.resize(this.bytes + sizeOf(request))
    while (this.requests.length > 1 && (this.requests.length > this.limit.requests || this.bytes > this.limit.bytes)) this.dropOldest()
  }

  shift(): Request<T> | undefined {
    const request = this.requests.shift()
    if (request) this.resize(this.bytes - sizeOf(request))
    return request
  }

  takeAll(): Request<T>[] {
    const all = this.requests
    this.requests = []
    this.resize(0)
    return all
  }

  private resize(bytes: number): void {
    this.bytes = bytes
    // Without a byte that waits there is nothing to count, and after too many there was an end.
    if (this.account?.isClosed) this.account = undefined
    if (bytes > 0)
      this.account ??= this.budget?.open({
        ip: '',
        label: `the queue for ${this.peer}`,
        outcome: 'was emptied',
        evict: (error) => this.failAll(error),
      })
    this.account?.setUnsent(bytes)
  }

  private failAll(error: TcpError): void {
    for (const { done } of this.takeAll()) done(error)
  }

  private dropOldest(): void {
    const { requests, bytes } = this.limit
    const much = this.requests.length > requests ? `${requests} requests` : `${bytes} bytes`
    const error = new TcpError('QUEUE_LIMIT', `more than ${much} wait for ${this.peer}; the oldest request was dropped and not sent`)
    this.shift()?.done(error)
  }
}

function sizeOf<T>({ bytes }: Request<T>): number {
  return bytes?.length ?? 0
}
