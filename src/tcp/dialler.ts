import type { Socket } from 'node:net'
import { createBackoff, type Backoff } from './backoff.ts'
import type { Budget } from './budget.ts'
import { normalizeAddress } from './access-list.ts'
import type { Counters } from './counters.ts'
import { TcpError } from './errors.ts'
import { Session, type SessionHooks, type SessionOwner } from './session.ts'
import type { Shortcuts } from './shortcuts.ts'
import { fingerprintTls, openSocket, type TlsMaterial } from './tls.ts'

// After a connection that lived this long, the next failure starts from the shortest pause again.
const LIVED_MS = 5_000
const CONNECT_TIMEOUT_MS = 30_000

export type DialPlace = {
  host: string
  port: number
  tls: TlsMaterial | undefined
  /** The node that dials: each has a connection of its own. */
  caller: string
}

export type DiallerSettings = { keepAliveMs: number; noDelay: boolean; idleMs: number; reconnectMs: number }

export type DiallerState =
  | { kind: 'connecting' }
  /** `adopted`: the connection was there before, with another owner. */
  | { kind: 'connected'; session: Session; adopted: boolean }
  /** `error` is undefined when the peer closed the connection normally. */
  | { kind: 'waiting'; error: TcpError | undefined; retryMs: number }

/** A tcp in or tcp out node that connects. */
export type DiallerOwner = SessionOwner & { settings: DiallerSettings; onState: (state: DiallerState) => void }

/** What a dialler has from the engine, and tells it. */
export type DiallerHooks = {
  /** Counts what the session holds; undefined: not counted. */
  budget?: Budget
  counters: Counters
  shortcuts: Shortcuts
  onOpened: (session: Session) => void
  onGone: (session: Session) => void
  onClosed: () => void
}

/** The name of a place in the registry. */
export function dialKey({ host, port, tls, caller }: DialPlace): string {
  return `${caller} ${host} ${port} ${fingerprintTls(tls)}`
}

/** Keeps a connection to a peer and reconnects it. Outlives its owner. */
export class Dialler {
  readonly place: DialPlace
  private readonly hooks: DiallerHooks
  private readonly sessionHooks: SessionHooks
  private readonly backoff: Backoff
  private owner: DiallerOwner | undefined
  private settings: DiallerSettings
  private state: DiallerState = { kind: 'connecting' }
  private socket: Socket | undefined
  private session: Session | undefined
  private retryTimer: NodeJS.Timeout | undefined
  private closed = false

  constructor(place: DialPlace, owner: DiallerOwner, hooks: DiallerHooks) {
    this.place = place
    this.owner = owner
    this.settings = owner.settings
    this.hooks = hooks
    this.sessionHooks = { ...(hooks.budget ? { budget: hooks.budget } : {}), onGone: (session) => this.lost(session) }
    this.backoff = createBackoff(owner.settings.reconnectMs)
    this.dial()
  }

  get currentOwner(): DiallerOwner | undefined {
    return this.owner
  }

  get currentState(): DiallerState {
    return this.state
  }

  adopt(owner: DiallerOwner): void {
    this.owner = owner
    this.settings = owner.settings
    this.tellState()
    if (this.session) {
      this.applySettings(this.session.socket)
      this.session.attach(owner)
    }
  }

  get sessions(): Session[] {
    return this.session ? [this.session] : []
  }

  release(): void {
    this.owner = undefined
    this.session?.detach()
  }

  /** Ends the connection. Waiting bytes are sent first, within a time limit. */
  close(): void {
    this.stopDialling()
    this.session?.finish()
    this.hooks.onClosed()
  }

  /** Makes no further connection; the current one goes on. */
  stopDialling(): void {
    this.closed = true
    this.owner = undefined
    clearTimeout(this.retryTimer)
    if (!this.session) this.socket?.destroy()
  }

  private dial(): void {
    const { host, port, tls } = this.place
    this.setState({ kind: 'connecting' })
    const place = this.hooks.shortcuts.of({ host, port }) ?? { host, port }
    const socket = openSocket(place, tls, { host, port })
    this.socket = socket
    let failure: Error | undefined
    const onError = (error: Error) => (failure = error)
    const onTimeout = () => socket.destroy(new Error(`no answer within ${CONNECT_TIMEOUT_MS} ms`))
    socket.setTimeout(CONNECT_TIMEOUT_MS)
    socket.on('timeout', onTimeout)
    socket.on('error', onError)
    const onClose = () => this.failed(failure)
    socket.once('close', onClose)
    socket.once(tls ? 'secureConnect' : 'connect', () => {
      socket.off('timeout', onTimeout)
      socket.off('close', onClose)
      this.connected(socket)
    })
  }

  private connected(socket: Socket): void {
    this.applySettings(socket)
    const address = { ip: normalizeAddress(socket.remoteAddress ?? this.place.host), port: socket.remotePort ?? this.place.port }
    const session = new Session(socket, {
      direction: 'out',
      address,
      counters: this.hooks.counters.of('out', this.place.port),
      hooks: this.sessionHooks,
    })
    this.session = session
    this.hooks.onOpened(session)
    this.setState({ kind: 'connected', session, adopted: false })
    if (this.owner) session.attach(this.owner)
  }

  private lost(session: Session): void {
    this.session = undefined
    this.hooks.onGone(session)
    // Our own end is no failure: the next message has its connection at once.
    if (session.hasHungUp && !this.closed) {
      this.backoff.reset()
      return this.dial()
    }
    if (performance.now() - session.openedAt >= Math.min(LIVED_MS, this.settings.reconnectMs)) this.backoff.reset()
    const error = session.failure
    this.again(
      error && new TcpError('CONNECT', `the connection to ${this.peer} was lost: ${error.message}`, { cause: error }),
      session.framesIn > 0,
    )
  }

  private failed(error: Error | undefined): void {
    this.again(
      new TcpError('CONNECT', `cannot connect to ${this.peer}: ${error?.message ?? 'the connection was closed'}`, { cause: error }),
      false,
    )
  }

  private again(error: TcpError | undefined, quick: boolean): void {
    if (this.closed) return
    const retryMs = Math.min(this.settings.reconnectMs, this.backoff.next({ quick }))
    this.setState({ kind: 'waiting', error, retryMs })
    this.retryTimer = setTimeout(() => this.dial(), retryMs)
  }

  private setState(state: DiallerState): void {
    this.state = state
    this.tellState()
  }

  private tellState(): void {
    const { owner, state } = this
    if (!owner) return
    owner.onState(state)
    // Whoever hears of it next takes it over.
    if (state === this.state && state.kind === 'connected') this.state = { ...state, adopted: true }
  }

  private get peer(): string {
    return `${this.place.host}:${this.place.port}`
  }

  private applySettings(socket: Socket): void {
    const { idleMs, keepAliveMs, noDelay } = this.settings
    socket.setTimeout(idleMs)
    socket.setNoDelay(noDelay)
    socket.setKeepAlive(keepAliveMs > 0, keepAliveMs)
  }
}
