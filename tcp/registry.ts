import { noteCall, noteClaim } from './claims.ts'
import { Dialler, dialKey, type DiallerOwner, type DialPlace } from './dialler.ts'
import { TcpError } from './errors.ts'
import { Listener, placeKey, type ListenerOwner, type ListenerPlace } from './listener.ts'
import type { Session } from './session.ts'

// Flows that restart are back sooner; who does not come back by then has gone.
const ADOPTION_LIMIT_MS = 20_000
// Another node of this process may free the port.
const OCCUPIED_RETRY_MS = 1_000
const SHUTDOWN_LIMIT_MS = 5_000

/** What a node holds of its listener or connection. */
export type Lease = {
  /** The node goes. `removed`: for good, so that its sockets end now; else another instance may take them over. */
  release: (removed: boolean) => void
}

type Held = { release: () => void; close: () => void }

const listeners = new Map<string, Listener>()
const diallers = new Map<string, Dialler>()
const sessions = new Map<string, Session>()
const orphans = new Map<Held, NodeJS.Timeout>()
let suspended = false
let shutdown: Promise<void> | undefined

const sessionHooks = {
  onOpened(session: Session): void {
    if (suspended) session.pause('deploy')
    sessions.set(session.id, session)
  },
  onGone(session: Session): void {
    sessions.delete(session.id)
  },
}

/** Listens at a place until the lease is released. */
export function listen(place: ListenerPlace, owner: ListenerOwner): Lease {
  const claim = noteClaim(owner, place.port)
  return endingWith(occupy(place, claim.owner), claim.end)
}

/** Keeps a connection to a place until the lease is released. */
export function dial(place: DialPlace, owner: DiallerOwner): Lease {
  const call = noteCall(owner, place)
  return endingWith(connect(place, call.owner), call.end)
}

function endingWith(lease: Lease, end: () => void): Lease {
  return {
    release(removed) {
      end()
      lease.release(removed)
    },
  }
}

/** Listens at a place, or takes over the listener that is there without an owner. While another node has it, it is tried again. */
function occupy(place: ListenerPlace, owner: ListenerOwner): Lease {
  const key = placeKey(place)
  const occupant = [...listeners.values()].find((listener) => overlaps(listener.place, place))
  if (occupant && placeKey(occupant.place) === key && isOrphan(occupant)) {
    keep(occupant)
    occupant.adopt(owner)
    return leaseOf(occupant)
  }
  // Same port, another certificate or address: what nobody adopted makes room.
  if (occupant && isOrphan(occupant)) drop(occupant)
  else if (occupant) return waitFor(place, owner)
  const listener: Listener = new Listener(place, owner, { ...sessionHooks, onClosed: () => void listeners.delete(key) })
  listeners.set(key, listener)
  return leaseOf(listener)
}

/** Connects to a place, or takes over the connection that the same node had there before. */
function connect(place: DialPlace, owner: DiallerOwner): Lease {
  const key = dialKey(place)
  const existing = diallers.get(key)
  if (existing) {
    keep(existing)
    existing.adopt(owner)
    return leaseOf(existing)
  }
  const dialler: Dialler = new Dialler(place, owner, { ...sessionHooks, onClosed: () => void diallers.delete(key) })
  diallers.set(key, dialler)
  return leaseOf(dialler)
}

/** The open session with this id. */
export function findSession(id: string): Session | undefined {
  return sessions.get(id)
}

/** All open sessions. */
export function allSessions(): Session[] {
  return [...sessions.values()]
}

/** All listeners, those between two owners included. */
export function allListeners(): Listener[] {
  return [...listeners.values()]
}

/** Stops reading everywhere: flows are about to restart. */
export function suspend(): void {
  suspended = true
  for (const session of sessions.values()) session.pause('deploy')
}

/** Goes on reading: flows run again. What nobody has taken over is closed. */
export function resume(): void {
  suspended = false
  for (const held of [...orphans.keys()]) drop(held)
  for (const session of sessions.values()) session.resume('deploy')
}

/**
 * Ends everything for good: nobody comes in any more, what waits is sent, then FIN; whoever has not taken all in time is reset, so that
 * it can tell. Resolves when all are gone.
 */
export function shutDown(withinMs = SHUTDOWN_LIMIT_MS): Promise<void> {
  shutdown ??= endAll(withinMs)
  return shutdown
}

async function endAll(withinMs: number): Promise<void> {
  for (const listener of listeners.values()) listener.stopListening()
  for (const dialler of diallers.values()) dialler.stopDialling()
  await Promise.all([...sessions.values()].map((session) => endSession(session, withinMs)))
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

function leaseOf(held: Held): Lease {
  let released = false
  return {
    release(removed) {
      if (released) return
      released = true
      if (shutdown) return
      if (removed) {
        held.close()
      } else {
        held.release()
        orphans.set(held, setTimeout(() => drop(held), ADOPTION_LIMIT_MS).unref())
      }
    },
  }
}

function isOrphan(held: Held): boolean {
  return orphans.has(held)
}

function keep(held: Held): void {
  clearTimeout(orphans.get(held))
  orphans.delete(held)
}

function drop(held: Held): void {
  keep(held)
  held.close()
}

/** Whether two places can not both be listened at. */
function overlaps(a: ListenerPlace, b: ListenerPlace): boolean {
  return a.port === b.port && (a.address === b.address || isWildcard(a.address) || isWildcard(b.address))
}

function isWildcard(address: string | undefined): boolean {
  return address === undefined || address === '0.0.0.0' || address === '::'
}

/** The port belongs to another node of this process. */
function waitFor(place: ListenerPlace, owner: ListenerOwner): Lease {
  let lease: Lease | undefined
  let timer: NodeJS.Timeout | undefined
  const error = new TcpError('LISTEN', `can not listen on port ${place.port}: another node of these flows listens there (EADDRINUSE)`)
  owner.onState({ kind: 'failed', error, retryMs: OCCUPIED_RETRY_MS })
  const retry = () => {
    const occupied = [...listeners.values()].some((listener) => overlaps(listener.place, place) && !isOrphan(listener))
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
