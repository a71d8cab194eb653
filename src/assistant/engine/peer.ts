import type { Counters, PeerInfo } from '../shared/protocol.ts'
import type { FaultSpec } from '../shared/spec.ts'
import { createOutlet } from './faults.ts'
import { notice } from '../shared/notice.ts'
import { AssistantError } from './errors.ts'

/** What a connection, or a place that datagrams come from, can do. */
export type Link = {
  address: string
  port: number
  /** `done` is called when the system has taken the bytes, or never will. */
  write: (bytes: Uint8Array, done: () => void) => void
  finish: () => void
  reset: () => void
  destroy: () => void
  /** Bytes that wait for the system to take them. */
  readonly waiting: number
}

export type PeerHooks = {
  faults: () => FaultSpec
  received: (peer: Peer, bytes: Uint8Array) => void
  sent: (peer: Peer, bytes: Uint8Array) => void
}

/** Bytes that may wait for a peer that takes them slowly. */
export const MAX_WAITING_BYTES = 8 * 1024 * 1024

export type Peer = ReturnType<typeof createPeer>

/** One other side of an endpoint. */
export function createPeer(id: string, link: Link, hooks: PeerHooks) {
  const counters = noCounters()
  const since = Date.now()
  let half: PeerInfo['half']
  let wakers: (() => void)[] = []
  const wake = () => {
    const woken = wakers
    wakers = []
    for (const waker of woken) waker()
  }
  const outlet = createOutlet((bytes) => {
    counters.txBytes += bytes.length
    counters.txCount += 1
    hooks.sent(peer, bytes)
    link.write(bytes, wake)
  }, hooks.faults)

  const peer = {
    id,
    link,
    counters,
    get waiting() {
      return outlet.waiting + link.waiting
    },
    get half() {
      return half
    },
    set half(value: PeerInfo['half']) {
      half = value
    },
    received(bytes: Uint8Array): void {
      counters.rxBytes += bytes.length
      counters.rxCount += 1
      hooks.received(peer, bytes)
    },
    /** @throws AssistantError when too much is waiting already */
    send(bytes: Uint8Array): void {
      const waiting = outlet.waiting + link.waiting
      if (waiting > 0 && waiting + bytes.length > MAX_WAITING_BYTES) {
        throw new AssistantError(notice('SLOW_PEER', { peer: id, bytes: waiting, limit: MAX_WAITING_BYTES }))
      }
      outlet.send(bytes)
    },
    /** When something of what waits has been taken, or the peer has left. */
    progress: (): Promise<void> => new Promise((resolve) => void wakers.push(resolve)),
    stop(): void {
      outlet.stop()
      wake()
    },
    info: (): PeerInfo => ({
      id,
      address: link.address,
      port: link.port,
      since,
      ...(half === undefined ? {} : { half }),
      waiting: outlet.waiting + link.waiting,
      ...counters,
    }),
  }
  return peer
}

export function noCounters(): Counters {
  return { rxBytes: 0, txBytes: 0, rxCount: 0, txCount: 0 }
}
