import type { Socket } from 'node:net'
import type { Listener } from '../../tcp/listener.ts'
import type { Session } from '../../tcp/session.ts'
import { flowLabels } from './declared-listeners.ts'
import type { FoundListener, Source } from './facts.ts'

/** Listeners as `/listeners` shows them: the facts, since when, and of those of tcp nodes what was refused and what waits. */
export function describeListeners(found: readonly FoundListener[]): unknown[] {
  return found.map(({ fact, since, listener }) => ({ ...fact, since, ...(listener ? detailsOf(listener) : {}) }))
}

/** Every TCP connection of the process; those of tcp nodes with session, node, frames and what waits. */
export function describeSessions({ RED, observer, state }: Source): unknown[] {
  const ours = new Map(state.engine.allSessions().map((session) => [endpointOf(session.socket), session]))
  const labels = flowLabels(RED)
  return observer.sessions().map(({ socket, ...facts }) => {
    const session = ours.get(endpointOf(socket))
    return session ? { ...facts, ...sessionFacts(session, labels) } : facts
  })
}

/** A TLS socket is another object than the TCP socket under it, with the same ends. */
function endpointOf({ localPort, remoteAddress, remotePort }: Socket): string {
  return `${localPort} ${remoteAddress} ${remotePort}`
}

function detailsOf({ sessions, refused }: Listener) {
  return { refused, buffered: [...sessions].reduce((total, { bufferedBytes }) => total + bufferedBytes, 0) }
}

function sessionFacts(session: Session, labels: Map<string, string>) {
  const { about } = session
  return {
    session: session.id,
    // Behind a relay that speaks the PROXY protocol, the device's own address.
    ip: session.ip,
    port: session.port,
    framesIn: session.framesIn,
    writesOut: session.writesOut,
    bufferedBytes: session.bufferedBytes,
    heldBytes: session.heldBytes,
    ...(about ? { usedBy: { ...about, flow: labels.get(about.flow) ?? about.flow } } : {}),
  }
}
