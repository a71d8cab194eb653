import { randomBytes } from 'node:crypto'
import type { Socket } from 'node:net'
import { formatAddress } from '../text/address.ts'
import type { Account, Budget, Holder } from './budget.ts'
import type { PortCounters } from './counters.ts'
import { describeClosed, describeSlowPeer, TcpError } from './errors.ts'
import { countReceived } from './garbage.ts'
import { createIntake } from './intake/create-intake.ts'
import { isPassedOn, sameIntake, type Intake, type IntakeOptions, type IntakeTail, type Payload } from './intake/intake.ts'
import { Outbox, type WriteLimit, type Written } from './outbox.ts'
import { listenTo, type SocketListener } from './socket-events.ts'
import { PAYLOADS_A_TURN, waitForTurn, type TurnTaker } from './turns.ts'

const ID_BYTES = 8
// The most that is read while nothing can be passed on, to know when it arrived.
const READ_AHEAD_BYTES = 1024 * 1024
// How long to wait for the peer's FIN after ours.
const FIN_ANSWER_MS = 1_000
// How long to wait for a peer that has sent FIN and reads nothing of what waits for it.
const UNTAKEN_TIMEOUT_MS = 30_000

/** How long a peer may take for what waits for it once its node has gone, in milliseconds. */
export const FINISH_WITHIN_MS = 5_000

/** Who an owner is, for status and diagnosis: a node's id, type and name, and the flow it is on. */
export type About = { node: string; type: string; name: string; flow: string }

/** The user of a session: a tcp in or tcp out node. */
export type SessionOwner = {
  readonly about: About
  /** How received bytes become payloads; undefined: they are read and dropped. */
  readonly intake: IntakeOptions | undefined
  /** How long a session stays open for replies after the peer's FIN. */
  readonly lingerMs: number
  onPayload: (session: Session, payload: Payload) => void
  /** The peer has sent FIN; `tail` is the incomplete rest. */
  onTail: (session: Session, tail: IntakeTail) => void
  /** Framing has lost sync: bytes are skipped up to the next frame, or frames may be joined. */
  onOutOfStep?: (session: Session, error: TcpError) => void
  onClosed: (session: Session, cause: Error | undefined) => void
}

export type SessionHooks = {
  /** Counts what the session holds. */
  readonly budget?: Budget
  onGone: (session: Session) => void
  /** The peer sends nothing more, and all that it has sent is passed on; the session stays a moment for replies. */
  onEnding?: (session: Session) => void
  /** That moment is over; bytes that the peer has not read yet may keep the session open for longer. */
  onEnded?: (session: Session) => void
}

export type SessionAddress = { ip: string; port: number }

/** `counters`: those of the port that was connected to. */
export type SessionOrigin = { direction: 'in' | 'out'; address: SessionAddress; counters: PortCounters; hooks: SessionHooks }

/** Inspects a session's first bytes and passes them on once they are allowed. `flush` passes on the rest and ends the inspection. */
export type Screen = { push: (chunk: Buffer) => Buffer | undefined; flush: () => Buffer }

/** Why reading is paused: a deploy goes on, nobody owns the session, the flow has enough to do, or it is the turn of others. */
export type PauseReason = keyof typeof PAUSE_BITS

// One number for each session: thousands of them may be idle.
const PAUSE_BITS = { deploy: 1, orphan: 2, busy: 4, turn: 8 }

/** One TCP connection, incoming or outgoing. Outlives its owner: another can take it over. */
export class Session implements SocketListener, TurnTaker, Holder {
  readonly id = randomBytes(ID_BYTES).toString('hex')
  readonly socket: Socket
  readonly direction: 'in' | 'out'
  /** The device's address, be it behind a relay that speaks the PROXY protocol. */
  readonly ip: string
  readonly port: number
  /** In milliseconds since the process began; a whole number takes no memory of its own. */
  readonly openedAt = Math.round(performance.now())
  /** Why the connection broke; undefined when it ended normally. */
  failure: Error | undefined
  framesIn = 0
  writesOut = 0
  private owner: SessionOwner | undefined
  private intake: Intake | undefined
  private intakeOptions: IntakeOptions | undefined
  private pauses = PAUSE_BITS.orphan
  private readonly hooks: SessionHooks
  private readonly counters: PortCounters
  private peerEnded = false
  private firstBytes: Screen | undefined
  private lingerTimer: NodeJS.Timeout | undefined
  private draining = false
  private hungUp = false
  private account: Account | undefined
  private countedFrames = 0
  private compacted = 0
  private isCompacting = false
  private isClosed = false
  private isGone = false
  private outbox: Outbox | undefined

  constructor(socket: Socket, { direction, address, counters, hooks }: SessionOrigin) {
    this.socket = socket
    this.direction = direction
    this.ip = address.ip
    this.port = address.port
    this.hooks = hooks
    this.counters = counters
    socket.pause()
    listenTo(socket, this)
  }

  /** `address:port` of the peer, for messages. */
  get peer(): string {
    if (this.ip === '') return 'a peer that had gone before its address was read'
    return formatAddress(this.ip, this.port)
  }

  /** The peer, and who it is for. */
  get label(): string {
    const { about } = this
    return about ? `${this.peer} (${about.type}${about.name ? ` "${about.name}"` : ''})` : this.peer
  }

  /** Who has the session now; nobody between two owners. */
  get about(): About | undefined {
    return this.owner?.about
  }

  /** How many received bytes are not passed on yet. */
  get heldBytes(): number {
    return this.inHand + this.socket.readableLength
  }

  get isOpen(): boolean {
    return this.socket.writable
  }

  /** How many bytes wait to be handed to the kernel. */
  get bufferedBytes(): number {
    return this.outbox?.size ?? 0
  }

  /** Gives the session to an owner; what the former one left unfinished goes on, or is cut anew when the options differ. */
  attach(owner: SessionOwner): void {
    this.owner = owner
    if (!sameIntake(this.intakeOptions, owner.intake)) this.changeIntake(owner.intake)
    this.resume('orphan')
  }

  /** Takes the session from its owner, to be attached to another; reading is paused meanwhile. */
  detach(): void {
    this.pause('orphan')
    this.owner = undefined
  }

  /** Has the first bytes inspected before they count as data. */
  screen(screen: Screen): void {
    this.firstBytes = screen
  }

  /** Ends the inspection: the first bytes are data, whatever they are. */
  endScreen(): void {
    const held = this.firstBytes?.flush()
    this.firstBytes = undefined
    if (held && held.length > 0) this.take(held)
  }

  pause(reason: PauseReason): void {
    this.pauses |= PAUSE_BITS[reason]
    if (!this.readsAhead) this.socket.pause()
  }

  /** Where silence separates frames, bytes must be read as they arrive: the kernel keeps no gaps. */
  private get readsAhead(): boolean {
    return this.intakeOptions?.framing.kind === 'gap' && this.inHand < READ_AHEAD_BYTES
  }

  /** Stops reading while too much is waiting. */
  private stopReadingAhead(): void {
    const { socket } = this
    if (!this.isPaused || this.readsAhead || socket.isPaused()) return
    socket.pause()
    if (this.intakeOptions?.framing.kind === 'gap')
      this.tellOutOfStep(`${this.inHand} bytes wait for the flow, so reading has stopped: frames that come meanwhile may become one`)
  }

  private tellOutOfStep(why: string): void {
    this.owner?.onOutOfStep?.(this, new TcpError('FRAMING', `${this.peer}: ${why}`))
  }

  resume(reason: PauseReason): void {
    if (this.pauses & PAUSE_BITS[reason]) this.goOn(PAUSE_BITS[reason], PAYLOADS_A_TURN)
  }

  /** Passes on what had to wait. */
  takeTurn(most: number): void {
    this.goOn(PAUSE_BITS.turn, most)
  }

  private goOn(pause: number, most: number): void {
    this.pauses &= ~pause
    if (this.isPaused) return
    if (this.isClosed) return this.passAndGo(most)
    if (this.socket.destroyed) return
    this.emitPayloads(most)
    if (this.isPaused) return
    // Bytes may have arrived unseen meanwhile, so the silence is timed anew.
    if (this.socket.timeout) this.socket.setTimeout(this.socket.timeout)
    this.socket.resume()
  }

  /** Sends bytes. `done` is called when they are handed to the kernel, or with the error when they were not. */
  write(bytes: Buffer, { limit, done }: { limit: WriteLimit; done: Written }): void {
    if (!this.isOpen) return done(this.closedError(bytes.length))
    // The outbox is made for the first write.
    this.outbox ??= new Outbox(
      this.socket,
      (unsent) => this.closedError(unsent),
      () => this.openAccount(),
    )
    if (!this.outbox.hasRoom(bytes.length, limit)) return this.refuseWrite(bytes, { limit, done })
    this.writesOut += 1
    this.counters.writesOut += 1
    this.outbox.write(bytes, done)
    if (this.lingerTimer) this.linger()
  }

  /** Sends what waits, then FIN. `sent`: called once the kernel has both. */
  end(sent?: () => void): void {
    this.outbox?.flush()
    this.socket.end(sent)
  }

  /** Whether the owner ended the connection on purpose: then its end is not a failure. */
  get hasHungUp(): boolean {
    return this.hungUp
  }

  /** Ends the connection for its owner: sends what waits, then FIN, and waits only briefly for the peer's FIN. */
  hangUp(): void {
    if (this.hungUp || !this.isOpen) return
    this.hungUp = true
    this.end(() => {
      const timer = setTimeout(() => this.socket.destroy(), FIN_ANSWER_MS)
      this.socket.once('close', () => clearTimeout(timer))
    })
    // A peer that reads nothing would keep the next message waiting forever.
    this.socket.setTimeout(UNTAKEN_TIMEOUT_MS)
  }

  /** Sends what waits, then FIN, when the node has gone. A peer that has not read everything in time is reset, so that it can tell. */
  finish(): void {
    if (this.isClosed) return this.go()
    const gone = new TcpError('SLOW_PEER', `its node has gone, and it did not take all within ${FINISH_WITHIN_MS} ms`)
    let timer = setTimeout(() => this.reset(gone), FINISH_WITHIN_MS)
    this.end(() => {
      clearTimeout(timer)
      timer = setTimeout(() => this.socket.destroy(), FIN_ANSWER_MS)
    })
    this.socket.once('close', () => clearTimeout(timer))
    // Unread bytes would keep the socket from closing.
    this.owner = undefined
    this.intake?.stop()
    this.intake = this.intakeOptions = undefined
    this.pauses = 0
    this.count()
    this.socket.resume()
  }

  /** Resets the connection (RST), so that the peer can tell. */
  reset(cause?: Error): void {
    this.failure ??= cause
    const { socket } = this
    // While a FIN is on its way libuv refuses to reset, and Node.js then never closes the socket: https://docs.libuv.org/en/v1.x/tcp.html
    if (socket.writableEnded && !socket.writableFinished && socket.writableLength === 0) return void socket.destroy()
    try {
      socket.resetAndDestroy()
    } catch {
      // A TLS socket knows no RST of its own.
      socket.destroy()
    }
  }

  /** Disconnects because too much memory is held. */
  evict(error: TcpError): void {
    this.intake?.stop()
    this.intake = this.intakeOptions = undefined
    this.reset(error)
    if (this.isClosed) this.go()
  }

  /** Called now and then: counts what has come while nothing is read, and makes it small. */
  look(): void {
    if (this.socket.isPaused() && this.socket.readableLength !== this.compacted) this.compact()
    this.count()
  }

  /** Small chunks weigh a hundred times what is in them. */
  private compact(): void {
    const { socket } = this
    this.isCompacting = true
    const bytes = socket.read() as Buffer | null
    this.isCompacting = false
    if (bytes) socket.unshift(bytes)
    this.compacted = socket.readableLength
  }

  private count(): void {
    const held = this.heldBytes
    if (held === (this.account?.received ?? 0) || this.isGone) return
    this.intake?.compact()
    this.openAccount()?.setReceived(held, this.framesIn !== this.countedFrames)
    this.countedFrames = this.framesIn
  }

  private openAccount(): Account | undefined {
    return (this.account ??= this.hooks.budget?.open(this))
  }

  private get inHand(): number {
    return this.intake?.size ?? 0
  }

  private get isPaused(): boolean {
    return this.pauses !== 0
  }

  private refuseWrite(bytes: Buffer, { limit, done }: { limit: WriteLimit; done: Written }): void {
    const error = describeSlowPeer(this.peer, { waiting: this.bufferedBytes, bytes: bytes.length, limit })
    done(error)
    if (!limit.disconnect) return
    this.counters.slowPeerDisconnects += 1
    this.reset(error)
  }

  private closedError(bytes: number): TcpError {
    return describeClosed(this.peer, { bytes, cause: this.failure })
  }

  private changeIntake(options: IntakeOptions | undefined): void {
    const held = this.intake?.release()
    this.intake?.stop()
    this.intake = undefined
    this.intakeOptions = options
    if (held) this.feed(held)
  }

  /** The intake is made for the first bytes. */
  private feed(bytes: Buffer): void {
    if (!this.intakeOptions || bytes.length === 0) return
    this.intake ??= createIntake(
      this.intakeOptions,
      () => this.emitPayloads(),
      (why) => this.tellOutOfStep(`${why}; bytes are skipped up to the next frame`),
    )
    this.intake.push(bytes)
  }

  received(chunk: Buffer): void {
    if (this.isCompacting) return
    this.outbox?.noteReceived()
    const bytes = this.firstBytes ? this.firstBytes.push(chunk) : chunk
    if (bytes === undefined) return
    this.firstBytes = undefined
    this.take(bytes)
    this.stopReadingAhead()
    // Chunks of a long frame live until it is whole, or have become text already: nothing to collect yet.
    if (this.inHand < chunk.length) countReceived(chunk.length)
  }

  private take(bytes: Buffer): void {
    if (this.owner && isPassedOn(this.intakeOptions) && this.inHand === 0 && !this.isPaused) return this.emit(bytes, this.owner)
    this.feed(bytes)
    this.emitPayloads()
  }

  private emit(payload: Payload, owner: SessionOwner): void {
    this.framesIn += 1
    this.counters.framesIn += 1
    owner.onPayload(this, payload)
  }

  private emitPayloads(most = PAYLOADS_A_TURN): void {
    // A consumer may pause or resume in its callback: one loop at a time.
    if (this.draining) return
    this.draining = true
    let left = most
    try {
      while (!this.isPaused && this.owner) {
        if (left === 0) {
          this.pauses |= PAUSE_BITS.turn
          waitForTurn(this)
          break
        }
        const payload = this.nextPayload()
        if (payload === undefined) break
        left -= 1
        this.emit(payload, this.owner)
      }
    } finally {
      this.draining = false
    }
    if (this.peerEnded && !this.isPaused) this.endOfData()
    this.count()
  }

  private nextPayload(): Payload | undefined {
    try {
      return this.intake?.next()
    } catch (error) {
      this.reset(new TcpError('FRAMING', `${this.peer}: ${(error as Error).message}; the connection was closed`, { cause: error }))
      return undefined
    }
  }

  ended(): void {
    this.outbox?.flush()
    this.endScreen()
    this.peerEnded = true
    this.emitPayloads()
  }

  private endOfData(): void {
    this.peerEnded = false
    const tail = this.intake?.flush()
    if (tail && this.owner) this.owner.onTail(this, tail)
    if (this.isClosed) return
    this.hooks.onEnding?.(this)
    // A client's connection has nothing more to say to a peer that has ended.
    if (this.direction === 'out' || this.owner?.lingerMs === 0) this.endBoth()
    else this.linger()
  }

  /** Keeps a half-closed connection open for replies that are still on their way; each one extends the time. */
  private linger(): void {
    clearTimeout(this.lingerTimer)
    this.lingerTimer = setTimeout(() => this.endBoth(), this.owner?.lingerMs ?? 0)
  }

  /** The peer has sent FIN, and this side ends too. */
  private endBoth(): void {
    this.end()
    this.hooks.onEnded?.(this)
    if (!this.socket.destroyed) this.watchUntaken()
  }

  private watchUntaken(): void {
    const waiting = this.bufferedBytes
    clearTimeout(this.lingerTimer)
    this.lingerTimer = setTimeout(() => {
      if (this.bufferedBytes < waiting) return this.watchUntaken()
      const time = `${UNTAKEN_TIMEOUT_MS / 1000} s`
      this.reset(new TcpError('SLOW_PEER', `${this.peer} has ended and has taken none of ${waiting} bytes in ${time}; it was disconnected`))
    }, UNTAKEN_TIMEOUT_MS).unref()
  }

  broke(error: Error): void {
    this.failure ??= error
  }

  fellSilent(): void {
    // Who is not read cannot be heard.
    if (this.isPaused) return
    const { socket, bufferedBytes } = this
    const heard = socket.bytesRead
    // When the process was busy for longer, its timers fire before anybody looks at what has come meanwhile.
    setImmediate(() => {
      if (socket.destroyed || this.isPaused || socket.bytesRead !== heard || this.bufferedBytes < bufferedBytes) return
      this.reset(new TcpError('IDLE', `${this.peer} has sent nothing for ${socket.timeout} ms`))
    })
  }

  closed(): void {
    this.outbox?.flush()
    clearTimeout(this.lingerTimer)
    this.endScreen()
    this.isClosed = true
    this.passAndGo(PAYLOADS_A_TURN)
  }

  /** Complete frames that arrived before the end become messages, even if they have to wait. */
  private passAndGo(most: number): void {
    this.emitPayloads(most)
    if (this.isPaused && this.inHand > 0) return
    this.go()
  }

  private go(): void {
    if (this.isGone) return
    this.isGone = true
    this.account?.close()
    this.intake?.stop()
    this.hooks.onGone(this)
    this.owner?.onClosed(this, this.failure)
    this.owner = undefined
  }
}
