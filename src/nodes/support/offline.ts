import type { Account, Budget, Holder } from '../../tcp/budget.ts'
import { TcpError } from '../../tcp/errors.ts'
import type { Engine } from '../../tcp/engine.ts'
import type { Orphans } from '../../tcp/orphans.ts'
import { MIB, type FilledDefaults } from './defaults.ts'
import type { Done } from './node-red.ts'
import { readNumber, type Properties } from './options.ts'

const DEFAULT_AGE_S = 60
const MS_PER_SECOND = 1000

type Waiting = { bytes: Buffer; done: Done; since: number }

/** What becomes of messages while there is no connection. */
export type OfflinePolicy = {
  take: (bytes: Buffer, done: Done) => void
  /** There is a connection: takes out waiting messages in order, up to a number. */
  release: (write: (bytes: Buffer, done: Done) => void, most?: number) => void
  /** The node goes. What waits is an error, or `toBeContinued`, until a next instance of the node comes for it. */
  stop: (toBeContinued: boolean) => void
}

/** A queue between two instances of its node, which counts as before. */
type Parked = { waiting: Waiting[]; account: Account }

/** Where queues are held, and those of nodes that were stopped, by node. */
export type Queues = { budget: Budget; parked: Orphans<string, Parked> }

/** What the queues of all nodes share. */
export function openQueues({ budget, orphans }: Pick<Engine, 'budget' | 'orphans'>): Queues {
  const parked = orphans.open<string, Parked>(({ waiting, account }) => {
    account.close()
    failAll(waiting)
  })
  return { budget, parked }
}

/** A tcp out node, as far as its queue is concerned. */
type Sender = { properties: Properties; defaults: FilledDefaults; queues: Queues }

/** From a tcp out node's properties: an error (default), a bounded queue, or nothing at all. `key`: the node. */
export function createOfflinePolicy(key: string, sender: Sender): OfflinePolicy {
  const { properties } = sender
  if (properties.offline === 'drop') return { take: (_bytes, done) => done(), release() {}, stop() {} }
  if (properties.offline === 'queue') return createQueue(key, sender)
  return {
    take: (bytes, done) => done(new TcpError('NOT_CONNECTED', `not connected, ${bytes.length} bytes were not sent`)),
    release() {},
    stop() {},
  }
}

/** A queue with the bounds that the node's properties say. `key`: whose messages to which place they are. */
export function createQueue(key: string, { properties, defaults, queues }: Sender): OfflinePolicy {
  const { budget } = queues
  const maxMessages = readNumber(properties, 'queueMessages', { default: defaults.queueSize, min: 1 })
  const maxBytes = readNumber(properties, 'queueBytes', { default: 4 * MIB, min: 1 })
  const maxAgeMs = readNumber(properties, 'queueAge', { default: DEFAULT_AGE_S, min: 1, max: 2_000_000 }) * MS_PER_SECOND
  let waiting = takeParked(key, queues)
  let size = sizeOf(waiting)
  let timer: NodeJS.Timeout | undefined
  const holder = holderOf(key, (error) => {
    account = budget.open(holder)
    failAll(takeAll(), error)
  })
  let account = budget.open(holder)
  resized(size)
  schedule()

  function resized(bytes: number): void {
    size = bytes
    account.setUnsent(bytes)
  }

  function takeAll(): Waiting[] {
    const all = waiting
    waiting = []
    resized(0)
    clearTimeout(timer)
    timer = undefined
    return all
  }

  function expire(): void {
    timer = undefined
    const now = Date.now()
    while (waiting[0] && waiting[0].since + maxAgeMs <= now) {
      const { bytes, done } = waiting.shift()!
      resized(size - bytes.length)
      done(new TcpError('EXPIRED', `${bytes.length} bytes were not sent within ${maxAgeMs / MS_PER_SECOND} s: there was no connection`))
    }
    schedule()
  }

  function schedule(): void {
    if (timer || !waiting[0]) return
    timer = setTimeout(expire, Math.max(1, waiting[0].since + maxAgeMs - Date.now()))
  }

  return {
    take(bytes, done) {
      if (waiting.length >= maxMessages || size + bytes.length > maxBytes) {
        const full = `${waiting.length} of ${maxMessages} messages, ${size} of ${maxBytes} bytes`
        return done(new TcpError('QUEUE_LIMIT', `not connected and the queue is full (${full}): ${bytes.length} bytes were not sent`))
      }
      waiting.push({ bytes, done, since: Date.now() })
      resized(size + bytes.length)
      schedule()
    },
    release(write, most = Infinity) {
      const released = waiting.slice(0, most)
      waiting = waiting.slice(released.length)
      clearTimeout(timer)
      timer = undefined
      resized(released.reduce((left, { bytes }) => left - bytes.length, size))
      schedule()
      for (const { bytes, done } of released) write(bytes, done)
    },
    stop(toBeContinued) {
      const all = takeAll()
      account.close()
      if (!toBeContinued) failAll(all)
      else if (all.length > 0) park(key, all, queues)
    },
  }
}

function holderOf(key: string, evict: Holder['evict']): Holder {
  return { ip: '', label: `the queue of node ${key}`, outcome: 'was emptied', evict }
}

function park(key: string, waiting: Waiting[], queues: Queues): void {
  const account = queues.budget.open(holderOf(key, (error) => failAll(takeParked(key, queues), error)))
  queues.parked.add(key, { waiting, account })
  account.setUnsent(sizeOf(waiting))
}

function takeParked(key: string, queues: Queues): Waiting[] {
  const parked = queues.parked.take(key)
  parked?.account.close()
  return parked?.waiting ?? []
}

function sizeOf(waiting: Waiting[]): number {
  return waiting.reduce((sum, { bytes }) => sum + bytes.length, 0)
}

function failAll(waiting: Waiting[], why?: TcpError): void {
  for (const { bytes, done } of waiting)
    done(why ?? new TcpError('NOT_CONNECTED', `not connected when the node was stopped: ${bytes.length} bytes were not sent`))
}
