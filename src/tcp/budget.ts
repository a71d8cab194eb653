// One limit for all bytes that the engine holds. Each connection has its own limits; this one bounds many connections together.
import { networkOf } from '../text/address.ts'
import { TcpError } from './errors.ts'
import { formatSize } from './memory.ts'

// Incomplete frames are dropped before bytes that a slow device has not read yet, unless they are too few to help.
const MUCH_RECEIVED = 1 / 8
// A holder that keeps bytes for long without finishing anything goes before one that holds a little more for a moment.
const AGE_WEIGHT = 1 / 10
const OLDEST = 60
// Frees a little more than is needed, so that not every byte starts a search of its own.
const ROOM = 1 / 32
// Roughly what a message costs in V8's heap until it is sent, however short: the message, its callback, its place in the queue.
const MESSAGE_BYTES = 512

/** For whom bytes are held. */
export type Holder = {
  /** The peer's address. Bytes are summed by it; empty for those of this process. */
  readonly ip: string
  /** Who it is, for messages. */
  readonly label: string
  /** What happens to it, for messages; by default a connection is disconnected. */
  readonly outcome?: string
  /** Releases everything that is held. */
  evict: (error: TcpError) => void
}

/** What is held for one holder. */
export class Account {
  readonly holder: Holder
  /** Bytes received and not passed on yet. */
  received = 0
  /** Bytes not sent yet. */
  unsent = 0
  /** Since when it has held its bytes, in ticks of the budget. */
  since = 0
  isClosed = false
  private readonly budget: Budget

  constructor(budget: Budget, holder: Holder) {
    this.budget = budget
    this.holder = holder
  }

  /** `anew`: something was finished since, so the clock restarts. */
  setReceived(bytes: number, anew = false): void {
    if (anew) this.since = this.budget.ticks
    if (bytes !== this.received) this.budget.change(this, 'received', bytes - this.received)
  }

  setUnsent(bytes: number): void {
    if (bytes !== this.unsent) this.budget.change(this, 'unsent', bytes - this.unsent)
  }

  /** A buffer waits to be sent; several may wait for it, and it is counted once. Each message that is in it counts for itself. */
  hold(bytes: Buffer, messages: number): void {
    this.budget.share(this, bytes.buffer)
    this.budget.change(this, 'unsent', messages * MESSAGE_BYTES)
  }

  letGo(bytes: Buffer, messages: number): void {
    this.budget.unshare(this, bytes.buffer)
    this.budget.change(this, 'unsent', -messages * MESSAGE_BYTES)
  }

  /** Nothing is held any more. */
  close(): void {
    if (this.isClosed) return
    this.setReceived(0)
    this.setUnsent(0)
    this.isClosed = true
  }

  get total(): number {
    return this.received + this.unsent
  }
}

type Kind = 'received' | 'unsent'

type Crowd = { network: string; accounts: Account[]; weight: number }

/** Counts what is held and drops holders when it is too much. Costs one addition while it is not. */
export class Budget {
  limit: number
  received = 0
  unsent = 0
  /** How many holders were dropped. */
  evicted = 0
  /** A coarse clock: a tick is about a second. */
  ticks = 0
  private readonly accounts = new Set<Account>()
  private readonly shared = new Map<ArrayBufferLike, Account[]>()
  private isMakingRoom = false

  constructor(limit: number) {
    this.limit = limit
  }

  open(holder: Holder): Account {
    return new Account(this, holder)
  }

  get total(): number {
    return this.received + this.unsent
  }

  change(account: Account, kind: Kind, difference: number): void {
    if (account.isClosed) return
    if (account.total === 0) {
      account.since = this.ticks
      this.accounts.add(account)
    }
    account[kind] += difference
    this[kind] += difference
    if (account.total === 0) this.accounts.delete(account)
    else if (difference > 0 && this.received + this.unsent > this.limit) this.makeRoom()
  }

  /** A shared buffer is counted for the first of those that wait for it. */
  share(account: Account, buffer: ArrayBufferLike): void {
    const payers = this.shared.get(buffer)
    if (payers) return void payers.push(account)
    this.shared.set(buffer, [account])
    this.change(account, 'unsent', buffer.byteLength)
  }

  unshare(account: Account, buffer: ArrayBufferLike): void {
    const payers = this.shared.get(buffer)
    const index = payers?.indexOf(account) ?? -1
    if (!payers || index < 0) return
    payers.splice(index, 1)
    if (payers.length === 0) this.shared.delete(buffer)
    if (index > 0) return
    this.change(account, 'unsent', -buffer.byteLength)
    if (payers[0]) this.change(payers[0], 'unsent', buffer.byteLength)
  }

  /** Drops the largest holder of the address that holds most. */
  private makeRoom(): void {
    if (this.isMakingRoom) return
    this.isMakingRoom = true
    try {
      const enough = this.limit * (1 - ROOM)
      this.evictMost('received', () => this.total > enough && this.received > this.limit * MUCH_RECEIVED)
      this.evictMost('unsent', () => this.total > enough)
    } finally {
      this.isMakingRoom = false
    }
  }

  private evictMost(kind: Kind, isTooMuch: () => boolean): void {
    if (!isTooMuch()) return
    const weigh = (account: Account) => account[kind] * (1 + Math.min(OLDEST, this.ticks - account.since) * AGE_WEIGHT)
    const crowds = this.crowds(kind, weigh)
    while (crowds.length > 0 && isTooMuch()) {
      const crowd = heaviest(crowds, ({ weight }) => weight)
      const account = heaviest(crowd.accounts, weigh)
      crowd.weight -= weigh(account)
      this.evict(account, { kind, crowd })
      crowd.accounts.splice(crowd.accounts.indexOf(account), 1)
      if (crowd.accounts.length === 0) crowds.splice(crowds.indexOf(crowd), 1)
    }
  }

  private crowds(kind: Kind, weigh: (account: Account) => number): Crowd[] {
    const crowds = new Map<string, Crowd>()
    for (const account of this.accounts) {
      if (account[kind] === 0) continue
      const network = networkOf(account.holder.ip)
      const crowd = crowds.get(network) ?? { network, accounts: [], weight: 0 }
      crowds.set(network, crowd)
      crowd.accounts.push(account)
      crowd.weight += weigh(account)
    }
    return [...crowds.values()]
  }

  private evict(account: Account, { kind, crowd: { network, accounts } }: { kind: Kind; crowd: Crowd }): void {
    const { holder } = account
    const sizes = [account[kind], accounts.reduce((sum, { total }) => sum + total, 0), this.limit]
    account.close()
    this.evicted += 1
    holder.evict(describeCrowded(holder, { kind, network, sizes: sizes.map(formatSize) }))
  }
}

function describeCrowded(
  { label, outcome = 'was disconnected' }: Holder,
  { kind, network, sizes }: { kind: Kind; network: string; sizes: string[] },
): TcpError {
  const [own, all, limit] = sizes
  const what = kind === 'received' ? `${own} that came from it and are no whole message yet` : `${own} that wait for it`
  return new TcpError(
    'MEMORY',
    `${label} ${outcome}: ${what} were held, ${all} for ${network || 'this process'}, and all connections together may hold ${limit} ` +
      '(TCP_MEMORY). Lower the longest frame, the write buffer or the connections of an address, or raise TCP_MEMORY',
  )
}

function heaviest<T>(all: readonly T[], weigh: (one: T) => number): T {
  return all.reduce((most, one) => (weigh(one) > weigh(most) ? one : most))
}
