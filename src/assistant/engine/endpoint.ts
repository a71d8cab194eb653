import { formatAddress } from '../../text/address.ts'
import type { Counters, EndpointInfo, EndpointState, Limits, LogEntry } from '../shared/protocol.ts'
import type { EndpointSpec, FaultSpec, Rule } from '../shared/spec.ts'
import { createFileSending } from './file.ts'
import { createLog, type Log } from './log.ts'
import { createNames } from './names.ts'
import { createPeer, noCounters, type Link, type Peer } from './peer.ts'
import { createReplay } from './replay.ts'
import { createResponder } from './responder.ts'
import { withoutSecrets, withSecrets } from './secrets.ts'
import type { Targets } from './targets.ts'
import { createTimer } from './timer.ts'
import type { Host, Transport } from './transport/transport.ts'
import { startTransport } from './transport/start.ts'
import { assertDatagram } from './transport/udp.ts'
import { notice, type Notice } from '../shared/notice.ts'
import { AssistantError } from './errors.ts'

export type EndpointOptions = {
  id: string
  name: string
  spec: EndpointSpec
  limits: Limits
  targets: Targets
  /** What is to be known of it, now that it is open. */
  hints: (spec: EndpointSpec, local: { address: string; port: number }) => Notice[]
  changed: (endpoint: Endpoint) => void
  logged: (endpoint: Endpoint) => void
}

/** A client, a server, a socket or a tap with its log. It lives until somebody removes it. */
export class Endpoint {
  readonly id: string
  readonly log: Log
  name: string
  spec: EndpointSpec
  faults: FaultSpec = {}
  readonly timer
  readonly file
  readonly replay
  private readonly options: EndpointOptions
  private readonly responder
  private readonly peers = new Map<string, Peer>()
  private readonly names = createNames()
  private transport: Transport | undefined
  private state: EndpointState = 'closed'
  private problem: Notice | undefined
  private hints: Notice[] = []
  private where: { address: string; port: number } | undefined
  private counters: Counters = noCounters()

  constructor(options: EndpointOptions) {
    this.options = options
    this.id = options.id
    this.name = options.name
    this.spec = options.spec
    this.log = createLog({ entries: options.limits.logEntries, bytes: options.limits.logBytes })
    const hooks = {
      send: (bytes: Uint8Array, peer: string | undefined) => void this.send(bytes, peer),
      note: (note: Notice) => this.note('', note),
      changed: () => this.changed(),
    }
    this.timer = createTimer(hooks)
    this.replay = createReplay(hooks)
    this.file = createFileSending({ ...hooks, peers: (peer) => this.reached(peer) })
    this.responder = createResponder({ note: (peer, note) => this.note(peer, note), isHere: (peer) => this.peers.get(peer.id) === peer })
  }

  /** Opens it, or opens it again; with other settings when they are given. */
  open(spec?: EndpointSpec): void {
    if (spec) this.spec = withSecrets(spec, this.spec)
    this.close()
    this.setState('opening')
    const transport: { current?: Transport } = {}
    // A transport that was closed may still speak.
    const host = this.hostFor(() => transport.current === undefined || this.transport === transport.current)
    const started = startTransport(this.spec, host)
    transport.current = started
    this.transport = started
  }

  close(): void {
    this.timer.stop()
    this.replay.stop()
    this.file.cancel()
    this.responder.stop()
    this.transport?.close()
    this.transport = undefined
    for (const peer of this.peers.values()) peer.link.destroy()
    if (this.state === 'closed' || this.state === 'failed') return
    this.note('', notice('CLOSED'))
    this.setState('closed')
  }

  /** @throws AssistantError when there is nobody to send to, or too much waits */
  send(bytes: Uint8Array, peerId?: string): number {
    if (this.spec.kind === 'udp') assertDatagram(bytes)
    const peers = this.reached(peerId)
    if (peers.length === 0) throw this.nobody(peerId)
    const refused: unknown[] = []
    for (const peer of peers) {
      try {
        peer.send(bytes)
      } catch (error) {
        refused.push(error)
        if (peers.length > 1 && error instanceof AssistantError) this.note(peer.id, error.notice)
      }
    }
    if (refused.length === peers.length) throw refused[0]
    return peers.length - refused.length
  }

  peer(id: string): Peer {
    const peer = this.peers.get(id)
    if (!peer) throw new AssistantError(notice('NO_PEER', { peer: id }))
    return peer
  }

  /** Ends a connection, or all: `kick` closes it, the others are faults. */
  disturb(how: 'kick' | 'half-close' | 'reset', peerId?: string): void {
    const peers = this.reached(peerId)
    if (peers.length === 0) throw this.nobody(peerId)
    for (const peer of peers) {
      this.note(peer.id, notice(how === 'kick' ? 'KICKED' : how === 'reset' ? 'RESET_SENT' : 'FINISHED', { peer: peer.id }))
      if (how === 'kick') peer.link.destroy()
      else if (how === 'reset') peer.link.reset()
      else {
        peer.half = 'finished'
        peer.link.finish()
      }
    }
    this.changed()
  }

  setRules(rules: readonly Rule[]): void {
    this.responder.set(rules)
    this.changed()
  }

  setFaults(faults: FaultSpec): void {
    this.faults = faults
    this.changed()
  }

  clear(): void {
    this.log.clear()
    this.changed()
  }

  resetCounters(): void {
    this.counters = noCounters()
    for (const peer of this.peers.values()) Object.assign(peer.counters, noCounters())
    this.changed()
  }

  /** Where it listens or whence it has connected, while it is open. */
  get local(): { address: string; port: number } | undefined {
    return this.where
  }

  /** What came and went since the counters were last reset. */
  get totals(): Counters {
    return { ...this.counters }
  }

  info(): EndpointInfo {
    const { first, last, bytes, dropped } = this.log
    const timer = this.timer.info()
    const file = this.file.info()
    const replay = this.replay.info()
    return {
      id: this.id,
      name: this.name,
      spec: withoutSecrets(this.spec),
      state: this.state,
      ...(this.problem ? { problem: this.problem } : {}),
      hints: this.hints,
      ...(this.where ? { local: this.where } : {}),
      peers: [...this.peers.values()].map((peer) => peer.info()),
      counters: this.totals,
      log: { first, last, bytes, dropped },
      rules: [...this.responder.rules],
      faults: this.faults,
      ...(timer ? { timer } : {}),
      ...(file ? { file } : {}),
      ...(replay ? { replay } : {}),
    }
  }

  note(peer: string, note: Notice): void {
    this.log.add('note', peer, { note })
    this.options.logged(this)
  }

  /** Whom bytes go to: the one named, else the target, else all. */
  private reached(peerId: string | undefined): Peer[] {
    if (peerId !== undefined && peerId !== '') return [this.peer(peerId)]
    const target = this.transport?.target?.()
    return target ? [target] : [...this.peers.values()]
  }

  private nobody(peerId: string | undefined): AssistantError {
    if (peerId) return new AssistantError(notice('NO_PEER', { peer: peerId }))
    if (this.state === 'closed' || this.state === 'failed') return new AssistantError(notice('NOT_OPEN', { endpoint: this.name }))
    return new AssistantError(notice(this.spec.kind === 'udp' ? 'NO_TARGET' : 'NOTHING_CONNECTED'))
  }

  private hostFor(isCurrent: () => boolean): Host {
    const end = (state: EndpointState, problem?: Notice) => {
      if (!isCurrent()) return
      if (problem) this.note('', problem)
      this.timer.stop()
      this.replay.stop()
      this.file.cancel()
      this.setState(state, problem)
    }
    return {
      limits: this.options.limits,
      targets: this.options.targets,
      faults: () => this.faults,
      opened: (local) => {
        if (!isCurrent()) return
        this.where = local
        this.hints = this.options.hints(this.spec, local)
        if (this.spec.kind !== 'tcp-client') this.note('', notice('OPENED', { address: local.address, port: local.port }))
        this.setState('open')
      },
      failed: (problem) => end('failed', problem),
      closed: () => end('closed'),
      waiting: (ms, problem) => {
        end('waiting', problem)
        if (isCurrent()) this.note('', notice('RECONNECTING', { seconds: ms / 1000 }))
      },
      note: (peer, note) => this.note(peer, note),
      join: (link, options) => this.join(link, options),
      leave: (peer, problem) => this.leave(peer, problem),
      ended: (peer) => {
        peer.half = 'ended'
        this.note(peer.id, notice('ENDED', { peer: peer.id }))
        this.changed()
      },
    }
  }

  private join(link: Link, { quiet = false } = {}): Peer | undefined {
    const name = formatAddress(link.address, link.port)
    const limit = Math.min(this.options.limits.peers, ('maxPeers' in this.spec && this.spec.maxPeers) || Infinity)
    if (this.peers.size >= limit) {
      this.note('', notice('TOO_MANY_PEERS', { limit, peer: name }))
      return undefined
    }
    const peer = createPeer(this.names.next(name), link, {
      faults: () => this.faults,
      received: (peer, bytes) => this.received(peer, bytes),
      sent: (peer, bytes) => this.logBytes('tx', peer, bytes),
    })
    this.peers.set(peer.id, peer)
    if (!quiet) this.note(peer.id, notice('CONNECTED', { peer: peer.id }))
    this.changed()
    if (!quiet) this.responder.connected(peer)
    return peer
  }

  private leave(peer: Peer, problem?: Notice): void {
    if (this.peers.get(peer.id) !== peer) return
    this.peers.delete(peer.id)
    peer.stop()
    if (problem) this.note(peer.id, problem)
    if (this.spec.kind !== 'udp') {
      this.note(peer.id, notice('DISCONNECTED', { peer: peer.id, rx: peer.counters.rxBytes, tx: peer.counters.txBytes }))
    }
    this.changed()
  }

  private received(peer: Peer, bytes: Uint8Array): void {
    this.logBytes('rx', peer, bytes)
    this.responder.received(peer, bytes)
  }

  private logBytes(dir: 'rx' | 'tx', peer: Peer, data: Uint8Array): LogEntry {
    this.counters[`${dir}Bytes`] += data.length
    this.counters[`${dir}Count`] += 1
    const entry = this.log.add(dir, peer.id, { data })
    this.options.logged(this)
    return entry
  }

  private setState(state: EndpointState, problem?: Notice): void {
    this.state = state
    this.problem = problem
    if (state !== 'open') {
      this.where = undefined
      this.hints = []
    }
    this.changed()
  }

  private changed(): void {
    this.options.changed(this)
  }
}
