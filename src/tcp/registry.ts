import type { Budget } from './budget.ts'
import type { Claims } from './claims.ts'
import type { Counters } from './counters.ts'
import type { Descriptors } from './descriptors.ts'
import { Dialler, dialKey, type DiallerOwner, type DialPlace } from './dialler.ts'
import { TcpError } from './errors.ts'
import { Listener, placeKey, type ListenerOwner, type ListenerPlace } from './listener.ts'
import type { OrphanLists } from './orphans.ts'
import type { Relays } from './relays.ts'
import { FINISH_WITHIN_MS, type Session } from './session.ts'
import type { Shortcuts } from './shortcuts.ts'

// Another node of this process may free the port.
const OCCUPIED_RETRY_MS = 1_000
const LOOK_EVERY_MS = 1_000

/** What a node holds of its listener or connection. */
export type Lease = {
  /** Releases the lease. `removed`: the node is gone for good and its sockets end now; else its next instance may take them over. */
  release: (removed: boolean) => void
}

type Held = { readonly sessions: Iterable<Session>; release: () => void; close: () => void }

/** What a registry, its listeners and its diallers need. */
export type RegistryParts = {
  budget: Budget
  claims: Claims
  counters: Counters
  descriptors: Descriptors
  orphans: OrphanLists
  relays: Relays
  shortcuts: Shortcuts
}

/** Keeps listeners, connections and sessions. */
export function createRegistry(parts: RegistryParts) {
  const { budget, claims } = parts
  const listeners = new Map<string, Listener>()
  const diallers = new Map<string, Dialler>()
  const sessions = new Map<string, Session>()
  const orphans = parts.orphans.open<Held, Held>((held) => held.close())
  /** Nodes replaced in the current deploy: their sessions are not read before the flows run. */
  const restarting = new Set<Held>()
  let looking: NodeJS.Timeout | undefined
  let suspended = false
  let shutdown: Promise<void> | undefined

  function opened(held: Held, session: Session): void {
    if (restarting.has(held)) session.pause('deploy')
    sessions.set(session.id, session)
    looking ??= setInterval(look, LOOK_EVERY_MS).unref()
  }

  function gone(session: Session): void {
    sessions.delete(session.id)
    if (sessions.size === 0) looking = void clearInterval(looking)
  }

  /** Bytes that arrive while nothing is read raise no event. */
  function look(): void {
    budget.ticks += 1
    for (const session of sessions.values()) session.look()
  }

  /** Listens at a place until the lease is released. */
  function listen(place: ListenerPlace, owner: ListenerOwner): Lease {
    const claim = claims.noteClaim(owner, place.port)
    return endingWith(occupy(place, claim.owner), claim.end)
  }

  /** Keeps a connection to a place until the lease is released. */
  function dial(place: DialPlace, owner: DiallerOwner): Lease {
    const call = claims.noteCall(owner, place)
    return endingWith(connect(place, call.owner), call.end)
  }

  /** Listens at a place, or takes over a listener there that has no owner. Retries while another node has it. */
  function occupy(place: ListenerPlace, owner: ListenerOwner): Lease {
    const key = placeKey(place)
    const occupant = [...listeners.values()].find((listener) => overlaps(listener.place, place))
    if (occupant && placeKey(occupant.place) === key && orphans.take(occupant)) {
      occupant.adopt(owner, place.tls)
      return leaseOf(occupant)
    }
    // Same port, another address or other demands on certificates: what nobody adopted makes room.
    if (occupant && orphans.take(occupant)) occupant.close()
    else if (occupant) return waitFor(place, owner)
    const listener: Listener = new Listener(place, owner, {
      ...parts,
      onOpened: (session) => opened(listener, session),
      onGone: gone,
      onClosed: () => void listeners.delete(key),
    })
    listeners.set(key, listener)
    return leaseOf(listener)
  }

  /** Connects to a place, or takes over the connection that the same node had there. */
  function connect(place: DialPlace, owner: DiallerOwner): Lease {
    const key = dialKey(place)
    const existing = diallers.get(key)
    if (existing) {
      orphans.take(existing)
      existing.adopt(owner)
      return leaseOf(existing)
    }
    const dialler: Dialler = new Dialler(place, owner, {
      ...parts,
      onOpened: (session) => opened(dialler, session),
      onGone: gone,
      onClosed: () => void diallers.delete(key),
    })
    diallers.set(key, dialler)
    return leaseOf(dialler)
  }

  /** The open session with this id. */
  function findSession(id: string): Session | undefined {
    return sessions.get(id)
  }

  /** All open sessions. */
  function allSessions(): Session[] {
    return [...sessions.values()]
  }

  /** All listeners, those between two owners included. */
  function allListeners(): Listener[] {
    return [...listeners.values()]
  }

  /** Flows are about to restart: sessions whose nodes are replaced are not read from now on. */
  function suspend(): void {
    suspended = true
  }

  /** Stops reading from a session until the flows run: its messages wait for a node that is being replaced. */
  function suspendSession(id: string): void {
    sessions.get(id)?.pause('deploy')
  }

  /** Resumes reading. */
  function resume(): void {
    suspended = false
    restarting.clear()
    for (const session of sessions.values()) session.resume('deploy')
  }

  /**
   * Ends everything for good: nobody comes in any more, what waits is sent, then FIN; whoever has not taken all in time is reset, so that
   * it can tell. Resolves when all are gone.
   */
  function shutDown(withinMs = FINISH_WITHIN_MS): Promise<void> {
    shutdown ??= endAll(withinMs)
    return shutdown
  }

  async function endAll(withinMs: number): Promise<void> {
    for (const listener of listeners.values()) listener.stopListening()
    for (const dialler of diallers.values()) dialler.stopDialling()
    await Promise.all([...sessions.values()].map((session) => endSession(session, withinMs)))
  }

  function leaseOf(held: Held): Lease {
    let released = false
    if (suspended) restart(held)
    return {
      release(removed) {
        if (released) return
        released = true
        if (shutdown) return
        if (removed) {
          held.close()
        } else {
          held.release()
          if (suspended) restart(held)
          orphans.add(held, held)
        }
      },
    }
  }

  function restart(held: Held): void {
    restarting.add(held)
    for (const session of held.sessions) session.pause('deploy')
  }

  /** The port belongs to another node of this process. */
  function waitFor(place: ListenerPlace, owner: ListenerOwner): Lease {
    let lease: Lease | undefined
    let timer: NodeJS.Timeout | undefined
    const error = new TcpError('LISTEN', `cannot listen on port ${place.port}: another node of these flows listens there (EADDRINUSE)`)
    owner.onState({ kind: 'failed', error, retryMs: OCCUPIED_RETRY_MS })
    const retry = () => {
      const occupied = [...listeners.values()].some((listener) => overlaps(listener.place, place) && !orphans.has(listener))
      if (occupied) timer = setTimeout(retry, OCCUPIED_RETRY_MS)
      else lease = occupy(place, owner)
    }
    timer = setTimeout(retry, OCCUPIED_RETRY_MS)
    return {
      release(removed) {
        clearTimeout(timer)
        lease?.release(removed)
      },
    }
  }

  return { listen, dial, findSession, allSessions, allListeners, suspend, suspendSession, resume, shutDown }
}

export type Registry = ReturnType<typeof createRegistry>

function endingWith(lease: Lease, end: () => void): Lease {
  return {
    release(removed) {
      end()
      lease.release(removed)
    },
  }
}

function endSession(session: Session, withinMs: number): Promise<void> {
  const { socket } = session
  if (socket.closed) return Promise.resolve()
  return new Promise((resolve) => {
    const timer = setTimeout(() => session.reset(), withinMs)
    socket.once('close', () => {
      clearTimeout(timer)
      resolve()
    })
    session.pause('deploy')
    // FIN goes out behind the last byte; the peer's own FIN is not waited for.
    session.end(() => socket.destroy())
  })
}

/** Whether two places exclude each other. */
function overlaps(a: ListenerPlace, b: ListenerPlace): boolean {
  return a.port === b.port && (a.address === b.address || isWildcard(a.address) || isWildcard(b.address))
}

function isWildcard(address: string | undefined): boolean {
  return address === undefined || address === '0.0.0.0' || address === '::'
}
