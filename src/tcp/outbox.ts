import type { Socket } from 'node:net'
import { TLSSocket } from 'node:tls'

// Beyond this, holding saves no segments and only makes the peer look slow.
const MAX_HELD_BYTES = 64 * 1024
const NOTHING = Buffer.alloc(0)

/** Called when bytes are handed to the kernel, or with the error when they were not. */
export type Written = (error?: Error) => void

export type WriteLimit = {
  /** How many bytes may wait before a further write fails. A write to an empty buffer always succeeds. */
  bytes: number
  /** Whether a peer that reaches the limit is disconnected. */
  disconnect: boolean
}

/** Told of buffers that wait for longer than a moment, and of how many messages each is made. */
export type Waiting = { hold: (bytes: Buffer, messages: number) => void; letGo: (bytes: Buffer, messages: number) => void }

type Held = { parts: Buffer[]; dones: Written[]; bytes: number }

let endsTurn = false
// What is held since this turn, and since the one before.
let holding: Outbox[] = []
let leaving: Outbox[] = []

/**
 * Joins what a session sends within a moment into one segment. A reply leaves at once: it is the first write since bytes have come from the
 * peer. What follows it, and what nobody has asked for, is held for two turns of the event loop at most, so that what comes meanwhile leaves
 * with it. After bytes that made several writes the first is held too: more are likely to follow.
 */
export class Outbox {
  private readonly socket: Socket
  private readonly isTls: boolean
  private readonly errorOf: (bytes: number) => Error
  private readonly waiting: () => Waiting | undefined
  private held: Held | undefined
  private writesSinceReceived = 0
  private expectsSeveral = false

  /** `errorOf`: what is told of so many bytes that were not handed to the kernel. `waiting` is asked for when bytes have to wait. */
  constructor(socket: Socket, errorOf: (bytes: number) => Error, waiting: () => Waiting | undefined = () => undefined) {
    this.socket = socket
    this.isTls = socket instanceof TLSSocket
    this.errorOf = errorOf
    this.waiting = waiting
  }

  /** How many bytes wait to be handed to the kernel. */
  get size(): number {
    return this.socket.writableLength + this.heldBytes
  }

  /** Whether so many bytes more may wait, once what the kernel takes at once is out of the way. */
  hasRoom(bytes: number, limit: WriteLimit): boolean {
    if (!this.fits(bytes, limit)) this.flush()
    return this.fits(bytes, limit)
  }

  /** The peer has sent something: it may wait for the next write. */
  noteReceived(): void {
    if (this.writesSinceReceived === 0) return
    this.expectsSeveral = this.writesSinceReceived > 1
    this.writesSinceReceived = 0
  }

  write(bytes: Buffer, done: Written): void {
    const holds = this.writesSinceReceived > 0 || this.expectsSeveral
    this.writesSinceReceived += 1
    if (this.heldBytes + bytes.length > MAX_HELD_BYTES) {
      this.flush()
      this.hand(bytes, done)
    } else if (!holds && !this.held) {
      this.hand(bytes, done)
    } else {
      this.hold(bytes, done)
      if (!holds) this.flush()
    }
  }

  /** Writes what is held to the socket. */
  flush(): void {
    const { held } = this
    if (!held) return
    this.held = undefined
    if (!this.socket.writable) return this.tellAll(held, true)
    const bytes = held.parts.length === 1 ? held.parts[0]! : Buffer.concat(held.parts, held.bytes)
    this.hand(bytes, (error) => this.tellAll(held, error !== undefined), held.parts.length)
  }

  private get heldBytes(): number {
    return this.held?.bytes ?? 0
  }

  private fits(bytes: number, limit: WriteLimit): boolean {
    const waiting = this.size
    return waiting === 0 || waiting + bytes <= limit.bytes
  }

  private hold(bytes: Buffer, done: Written): void {
    if (!this.held) {
      this.held = { parts: [], dones: [], bytes: 0 }
      holding.push(this)
      scheduleEnd()
    }
    this.held.parts.push(bytes)
    this.held.dones.push(done)
    this.held.bytes += bytes.length
  }

  /**
   * The kernel mostly takes all there and then, TLS apart. A write with a callback would tell only a turn later, at a good part of the cost
   * of an echo. Where it does not, a callback is called behind the bytes.
   */
  private hand(bytes: Buffer, done: Written, messages = 1): void {
    const { socket } = this
    let told = bytes
    if (socket.writableLength === 0 && !this.isTls) {
      socket.write(bytes)
      if (socket.writableLength === 0 && !socket.errored) return done()
      told = NOTHING
    }
    const waiting = this.waiting()
    socket.write(told, (error) => {
      waiting?.letGo(bytes, messages)
      done(error ? this.errorOf(bytes.length) : undefined)
    })
    // Behind the write: who holds too much is disconnected there and then, which may be this one.
    waiting?.hold(bytes, messages)
  }

  private tellAll({ parts, dones }: Held, failed: boolean): void {
    for (const [index, done] of dones.entries()) done(failed ? this.errorOf(parts[index]!.length) : undefined)
  }
}

function scheduleEnd(): void {
  if (endsTurn) return
  endsTurn = true
  setImmediate(endTurn)
}

function endTurn(): void {
  endsTurn = false
  const ending = leaving
  leaving = holding
  holding = []
  if (leaving.length > 0) scheduleEnd()
  for (const outbox of ending) outbox.flush()
}
