import { createServer, type BlockList, type Server, type Socket } from 'node:net'
import { createServer as createTlsServer, type Server as TlsServer } from 'node:tls'
import { matches, normalizeAddress } from './access-list.ts'
import { createPlaces, isExceeded, limitReached, refusalOf, unwantedBy, type AdmissionLimits } from './admission.ts'
import type { Budget } from './budget.ts'
import { createBackoff } from './backoff.ts'
import { createBoundedReport } from './bounded-report.ts'
import type { Counters, PortCounters } from './counters.ts'
import type { Descriptors } from './descriptors.ts'
import { describeBindError, TcpError } from './errors.ts'
import { readProxyHeader, screenProxyHeader } from './proxy-greeting.ts'
import type { Relays } from './relays.ts'
import { Session, type SessionAddress, type SessionHooks, type SessionOwner } from './session.ts'
import { demandsOf, fingerprintTls, type TlsMaterial } from './tls.ts'

const RETRY_LONGEST_MS = 10_000
const BACKLOG = 511
// Time for everything before a connection counts: PROXY header and TLS handshake.
const HANDSHAKE_TIMEOUT_MS = 10_000
// Errors that waiting can cure: another process has the port, or the address does not exist yet.
const WORTH_RETRYING = new Set(['EADDRINUSE', 'EADDRNOTAVAIL'])

/** Where a listener listens: what makes it the same listener for another owner. */
export type ListenerPlace = { address: string | undefined; port: number; tls: TlsMaterial | undefined }

/** What an owner may change while the listener goes on. Times in milliseconds, 0 means off. */
export type ListenerSettings = AdmissionLimits & {
  idleMs: number
  keepAliveMs: number
  noDelay: boolean
  /** Addresses that speak the PROXY protocol; undefined: none. */
  proxyTrusted: BlockList | undefined
}

export type ListenerState =
  | { kind: 'listening'; address: string; port: number }
  /** `retryMs`: milliseconds until the next attempt; undefined: none. */
  | { kind: 'failed'; error: TcpError; retryMs: number | undefined }

/** A tcp in or tcp out node that listens. */
export type ListenerOwner = SessionOwner & {
  settings: ListenerSettings
  onState: (state: ListenerState) => void
  /** A session now belongs to the owner. `adopted`: it existed before, with another owner. */
  onSession: (session: Session, adopted: boolean) => void
  /** A peer could not connect: it was refused, or its handshake failed. */
  onRefused: (message: string) => void
  /** The process has no descriptor left for another connection. */
  onWant: (message: string) => void
}

/** What a listener has from the engine, and tells it. */
export type ListenerHooks = {
  /** Counts what the sessions hold; undefined: not counted. */
  budget?: Budget
  counters: Counters
  descriptors: Descriptors
  relays: Relays
  onOpened: (session: Session) => void
  onGone: (session: Session) => void
  onClosed: () => void
}

type Handshake = { socket: Socket; address: SessionAddress; timer: NodeJS.Timeout }

/** The name of a place in the registry. */
export function placeKey({ address, port, tls }: ListenerPlace): string {
  return `${address ?? '*'} ${port} ${demandsOf(tls)}`
}

/** A listening port with its sessions. Outlives its owner: between two owners it goes on accepting, but reads nothing. */
export class Listener {
  place: ListenerPlace
  readonly sessions = new Set<Session>()
  private readonly hooks: ListenerHooks
  private readonly backoff = createBackoff(RETRY_LONGEST_MS)
  private readonly refusals = createBoundedReport('connections refused', (message) => this.owner?.onRefused(message))
  private readonly wants = createBoundedReport('connections refused for want of descriptors', (message) => this.owner?.onWant(message))
  private refusedCount = 0
  private readonly places = createPlaces()
  private readonly sessionHooks: SessionHooks
  /** Sockets that are not sessions yet. */
  private readonly arriving = new Set<Socket>()
  private readonly newcomers = new Set<Session>()
  private readonly handshaking = new Map<string, Handshake>()
  private server: Server | undefined
  private tlsServer: TlsServer | undefined
  private owner: ListenerOwner | undefined
  private state: ListenerState | undefined
  private retryTimer: NodeJS.Timeout | undefined
  private settings: ListenerSettings
  private closed = false

  constructor(place: ListenerPlace, owner: ListenerOwner, hooks: ListenerHooks) {
    this.place = place
    this.owner = owner
    this.settings = owner.settings
    this.hooks = hooks
    this.sessionHooks = {
      ...(hooks.budget ? { budget: hooks.budget } : {}),
      onGone: (session) => this.sessionGone(session),
      onEnding: (session) => this.places.free(session),
      onEnded: (session) => this.overstayed(session),
    }
    this.bind()
  }

  get currentOwner(): ListenerOwner | undefined {
    return this.owner
  }

  get refused(): number {
    return this.refusedCount
  }

  get currentState(): ListenerState | undefined {
    return this.state
  }

  /** Gives the listener and its sessions to a new owner, who may have another certificate, and other lists of who may be in. */
  adopt(owner: ListenerOwner, tls: TlsMaterial | undefined): void {
    this.owner = owner
    this.settings = owner.settings
    this.renewTls(tls)
    if (this.state) owner.onState(this.state)
    for (const session of this.sessions) {
      this.applySettings(session.socket)
      const adopted = !this.newcomers.delete(session)
      session.attach(owner)
      // It may have been gone already, and have had something to pass on only.
      if (!this.sessions.has(session)) continue
      owner.onSession(session, adopted)
      this.turnOutUnwanted(session)
    }
  }

  /** Detaches the owner; another may follow. */
  release(): void {
    this.owner = undefined
    for (const session of this.sessions) session.detach()
  }

  /** Stops listening and ends all sessions. Waiting bytes are sent first, within a time limit. */
  close(): void {
    this.stopListening()
    for (const session of this.sessions) session.finish()
    this.hooks.onClosed()
  }

  /** Stops listening; sessions go on. */
  stopListening(): void {
    this.closed = true
    this.owner = undefined
    clearTimeout(this.retryTimer)
    this.refusals.stop()
    this.wants.stop()
    this.server?.close()
    for (const socket of this.arriving) socket.destroy()
  }

  private bind(): void {
    // Half-open, so that a peer that has sent all and waits for the answer gets it.
    const server = createServer({ allowHalfOpen: true, pauseOnConnect: true }, (socket) => this.arrive(socket))
    server.on('error', (error: NodeJS.ErrnoException) => this.bindFailed(error))
    server.listen({ port: this.place.port, ...(this.place.address ? { host: this.place.address } : {}), backlog: BACKLOG }, () => {
      const bound = server.address()
      if (bound === null || typeof bound === 'string') return
      this.backoff.reset()
      this.setState({ kind: 'listening', address: bound.address, port: bound.port })
    })
    this.server = server
    if (this.place.tls) this.tlsServer = this.createTls(this.place.tls)
  }

  private bindFailed(error: NodeJS.ErrnoException): void {
    if (this.closed) return
    const retryMs = WORTH_RETRYING.has(error.code ?? '') ? this.backoff.next() : undefined
    this.setState({ kind: 'failed', error: describeBindError(error, this.place), retryMs })
    if (retryMs !== undefined) this.retryTimer = setTimeout(() => this.bind(), retryMs)
  }

  private setState(state: ListenerState): void {
    this.state = state
    this.owner?.onState(state)
  }

  /** Applies to new connections; existing ones stay. */
  private renewTls(tls: TlsMaterial | undefined): void {
    if (!tls || fingerprintTls(tls) === fingerprintTls(this.place.tls)) return
    this.place = { ...this.place, tls }
    this.tlsServer = this.createTls(tls)
  }

  private turnOutUnwanted(session: Session): void {
    const why = unwantedBy(session.ip, this.settings)
    if (why === undefined) return
    this.countRefusal(session.ip, why)
    session.reset(new TcpError('REFUSED', `${session.peer} was disconnected: ${why}`))
  }

  private createTls(tls: TlsMaterial): TlsServer {
    const server = createTlsServer({ ...tls, pauseOnConnect: true, handshakeTimeout: HANDSHAKE_TIMEOUT_MS })
    server.on('secureConnection', (secure) => {
      const endpoint = endpointOf(secure)
      const known = this.endHandshake(endpoint)
      if (!known) {
        secure.destroy()
        return
      }
      this.arriving.delete(known.socket)
      secure.allowHalfOpen = true
      // The lists may be others than when its handshake began.
      this.turnOutUnwanted(this.open(secure, known.address))
    })
    server.on('tlsClientError', (error, secure) => {
      // OpenSSL's messages end with a line feed.
      this.handshakeFailed(endpointOf(secure), error.message.trim())
      secure.destroy()
    })
    return server
  }

  /** Counted once, whether the connection or its TLS goes first. */
  private handshakeFailed(endpoint: string, why: string): void {
    const known = this.endHandshake(endpoint)
    if (!known) return
    this.places.forget(known.address)
    this.countRefusal(known.address.ip, `TLS handshake failed: ${why}`)
  }

  private endHandshake(endpoint: string): Handshake | undefined {
    const known = this.handshaking.get(endpoint)
    clearTimeout(known?.timer)
    this.handshaking.delete(endpoint)
    return known
  }

  private arrive(socket: Socket): void {
    if (this.hooks.descriptors.areOut(socket)) return this.refuseForWant(socket)
    const relay = normalizeAddress(socket.remoteAddress ?? '')
    const { relays } = this.hooks
    const { allow, deny, proxyTrusted } = this.settings
    const { port } = this.place
    const proxied = proxyTrusted !== undefined || relays.serve(port)
    // After an RST, what a peer has sent can still be read; whose it is nobody can tell any more.
    if (relay === '' && (allow || deny || proxied || this.tlsServer))
      return this.refuse(socket, relay, 'it was gone before its address was known')
    if ((proxyTrusted && matches(proxyTrusted, relay)) || relays.has(port, relay)) return this.greet(socket, relay)
    const session = this.admit(socket, { ip: relay, port: socket.remotePort ?? 0 })
    // An untrusted peer must not claim another address.
    if (!proxied || !session) return
    session.screen(
      screenProxyHeader({
        refuse: () => this.refuse(socket, relay, 'it sent a PROXY protocol header and is not trusted to'),
        pass: () => session.endScreen(),
      }),
    )
  }

  private greet(socket: Socket, relay: string): void {
    // Whom it speaks for is not known yet; that somebody is here is.
    const full = limitReached('', { ...this.settings, maxPerAddress: 0 }, this.places)
    if (full) return this.refuse(socket, relay, full)
    const guest = { ip: '' }
    this.places.take(guest)
    this.hold(socket)
    readProxyHeader(socket, {
      relay,
      timeoutMs: HANDSHAKE_TIMEOUT_MS,
      onAddress: (address) => {
        this.places.forget(guest)
        this.admit(socket, address)
      },
      onRefused: (why) => {
        this.places.forget(guest)
        this.refuse(socket, relay, why)
      },
    })
  }

  private admit(socket: Socket, address: SessionAddress): Session | undefined {
    const refusal = refusalOf(address.ip, this.settings, this.places)
    if (refusal) {
      this.refuse(socket, address.ip, refusal)
      return undefined
    }
    this.places.take(address)
    if (!this.tlsServer) return this.open(socket, address)
    this.shakeHands(socket, address, this.tlsServer)
    return undefined
  }

  private shakeHands(socket: Socket, address: SessionAddress, tlsServer: TlsServer): void {
    const endpoint = endpointOf(socket)
    // Node.js counts from the last byte that has come.
    const timer = setTimeout(() => {
      this.handshakeFailed(endpoint, `it took longer than ${HANDSHAKE_TIMEOUT_MS} ms`)
      socket.destroy()
    }, HANDSHAKE_TIMEOUT_MS).unref()
    this.handshaking.set(endpoint, { socket, address, timer })
    this.hold(socket)
    socket.once('close', () => this.handshakeFailed(endpoint, 'the connection was closed'))
    // Whoever ends in the middle of a handshake is not waited for.
    socket.allowHalfOpen = false
    tlsServer.emit('connection', socket)
  }

  /** Remembers a socket that is not a session yet. */
  private hold(socket: Socket): void {
    socket.on('error', ignoreError)
    this.arriving.add(socket)
    socket.once('close', () => this.arriving.delete(socket))
  }

  /** Not the peer's fault, so the flow is told, once for as long as it lasts. */
  private refuseForWant(socket: Socket): void {
    const { limit } = this.hooks.descriptors.limits()
    this.wants.add(
      `connection refused on port ${this.place.port}: the process may have ${limit} files and connections open, and all but what is kept for the editor and the status port are; raise the limit (NOFILE_LIMIT, ulimit -n)`,
    )
    this.noteRefusal()
    this.reset(socket)
  }

  private refuse(socket: Socket, address: string, why: string): void {
    this.countRefusal(address, why)
    this.reset(socket)
  }

  private reset(socket: Socket): void {
    socket.on('error', ignoreError)
    try {
      socket.resetAndDestroy()
    } catch {
      socket.destroy()
    }
  }

  private countRefusal(address: string, why: string): void {
    this.refusals.add(`connection from ${address || 'an unknown address'} refused: ${why}`)
    this.noteRefusal()
  }

  private noteRefusal(): void {
    this.refusedCount += 1
    this.counters.refused += 1
  }

  private open(socket: Socket, address: SessionAddress): Session {
    this.arriving.delete(socket)
    this.applySettings(socket)
    const session = new Session(socket, { direction: 'in', address, counters: this.counters, hooks: this.sessionHooks })
    this.sessions.add(session)
    this.hooks.onOpened(session)
    if (this.owner) {
      this.owner.onSession(session, false)
      session.attach(this.owner)
    } else {
      this.newcomers.add(session)
    }
    return session
  }

  /** A peer that has ended and has not gone in time is counted again, and goes where that is one too many. */
  private overstayed(session: Session): void {
    this.places.retake(session)
    if (!isExceeded(session.ip, this.settings, this.places)) return
    const waiting = session.bufferedBytes
    session.reset(new TcpError('LIMIT', `${session.peer} has ended, has not taken ${waiting} bytes in time, and its place is needed`))
  }

  /** Asked for with the first of what is counted: a port where nothing has happened has none. */
  private get counters(): PortCounters {
    return this.hooks.counters.of('in', this.place.port)
  }

  private sessionGone(session: Session): void {
    this.sessions.delete(session)
    this.newcomers.delete(session)
    this.places.forget(session)
    this.hooks.onGone(session)
  }

  private applySettings(socket: Socket): void {
    const { idleMs, keepAliveMs, noDelay } = this.settings
    socket.setTimeout(idleMs)
    socket.setNoDelay(noDelay)
    socket.setKeepAlive(keepAliveMs > 0, keepAliveMs)
  }
}

/** A socket without a session has nobody to report to; its close follows. */
function ignoreError(): void {}

/** A key for each connection of a listener, plain or TLS. */
function endpointOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`
}
