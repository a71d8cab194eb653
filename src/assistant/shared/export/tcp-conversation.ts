import type { Pair } from './addresses.ts'
import { MAX_TCP_PAYLOAD, tcpPacket, type TcpFlags } from './packets.ts'

export type Side = 'local' | 'remote'

const NO_PAYLOAD = new Uint8Array()
const NUMBERS = 0x1_0000_0000

/** The packets of one TCP connection, as they would have been with nothing lost, delayed or split: handshake, data, end. */
export class TcpConversation {
  private readonly pair: Pair
  private readonly caller: Side
  private readonly next: Record<Side, number>
  private readonly finished: Record<Side, boolean> = { local: false, remote: false }
  private begun = false

  constructor(pair: Pair, caller: Side, index: number) {
    this.pair = pair
    this.caller = caller
    // Any numbers would do; these tell connections apart and stay the same from export to export.
    const first = (index + 1) * 1_000_003
    this.next = { local: first % NUMBERS, remote: (first * 7) % NUMBERS }
  }

  *open(): Iterable<Uint8Array> {
    if (this.begun) return
    this.begun = true
    const called = other(this.caller)
    yield this.packet(this.caller, { syn: true })
    yield this.packet(called, { syn: true, ack: true })
    yield this.packet(this.caller, { ack: true })
  }

  *send(from: Side, data: Uint8Array): Iterable<Uint8Array> {
    yield* this.open()
    for (let at = 0; at < data.length; at += MAX_TCP_PAYLOAD)
      yield this.packet(from, { ack: true, psh: true }, data.subarray(at, at + MAX_TCP_PAYLOAD))
  }

  *finish(from: Side): Iterable<Uint8Array> {
    if (!this.begun || this.finished[from]) return
    this.finished[from] = true
    yield this.packet(from, { fin: true, ack: true })
    yield this.packet(other(from), { ack: true })
  }

  *reset(from: Side): Iterable<Uint8Array> {
    if (!this.begun || (this.finished.local && this.finished.remote)) return
    this.finished.local = this.finished.remote = true
    yield this.packet(from, { rst: true, ack: true })
  }

  private packet(from: Side, flags: TcpFlags, payload: Uint8Array = NO_PAYLOAD): Uint8Array {
    const to = other(from)
    const packet = tcpPacket(this.pair[from], this.pair[to], { seq: this.next[from], ack: this.next[to], flags, payload })
    this.next[from] = (this.next[from] + payload.length + (flags.syn || flags.fin ? 1 : 0)) % NUMBERS
    return packet
  }
}

function other(side: Side): Side {
  return side === 'local' ? 'remote' : 'local'
}
