import type { Socket } from 'node:net'
import type { Observer } from '../../tcp/observer.ts'
import { allListeners, allSessions } from '../../tcp/registry.ts'
import type { Listener } from '../../tcp/listener.ts'
import type { Session } from '../../tcp/session.ts'
import type { NodeRed } from '../node-red.ts'
import { declaredListeners, type DeclaredListener } from './declared-listeners.ts'

type Declaration = { node: string; type: string; name: string; flow: string }

/** Every TCP listener of the process and every one that failed, with the nodes that declare it. */
export function describeListeners(RED: NodeRed, observer: Observer, statusPort: number): unknown[] {
  const editorPort = RED.settings.serverPort ?? RED.settings.uiPort
  const declared = declaredListeners(RED)
  const ours = new Map(allListeners().map((listener) => [listener.place.port, listener]))
  const labels = flowLabels(RED)
  const bound = observer.listeners().map((listener) => ({
    ...listener,
    state: 'listening',
    role: listener.port === editorPort ? 'editor' : listener.port === statusPort ? 'status' : 'flow',
    ...hardenedFacts(ours.get(listener.port)),
    declaredBy: declarations(declared, ours.get(listener.port), { port: listener.port, labels }),
  }))
  const boundPorts = new Set(bound.map(({ port }) => port))
  const failed = observer.listenFailures().filter(({ port }) => !boundPorts.has(port))
  return [
    ...bound,
    ...failed.map(({ port, code, message, at }) => ({
      port,
      state: 'failed',
      role: 'flow',
      since: at,
      error: { code, message },
      declaredBy: declarations(declared, ours.get(port), { port, labels }),
    })),
  ]
}

/** Every TCP connection of the process; those of tcp nodes with session, node, frames and what waits. */
export function describeSessions(RED: NodeRed, observer: Observer): unknown[] {
  const ours = new Map(allSessions().map((session) => [endpointOf(session.socket), session]))
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

function hardenedFacts(listener: Listener | undefined) {
  if (!listener) return {}
  const sessions = [...listener.sessions]
  const sum = (pick: (session: Session) => number) => sessions.reduce((total, session) => total + pick(session), 0)
  return {
    clients: sessions.length,
    refused: listener.refused,
    buffered: sum(({ bufferedBytes }) => bufferedBytes),
  }
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

function declarations(
  declared: DeclaredListener[],
  listener: Listener | undefined,
  { port, labels }: { port: number; labels: Map<string, string> },
): Declaration[] {
  const found = declared
    .filter((declaration) => declaration.port === port)
    .map(({ node, type, name, flow }) => ({ node, type, name, flow }))
  const about = listener?.currentOwner?.about
  // Inside a subflow: no tab declares it.
  if (about && found.every(({ node }) => node !== about.node)) found.push({ ...about, flow: labels.get(about.flow) ?? about.flow })
  return found
}

function flowLabels(RED: NodeRed): Map<string, string> {
  const labels = new Map<string, string>()
  RED.nodes.eachNode(({ id, label, name, type }) => {
    if (type === 'tab') labels.set(id, label ?? id)
    else if (type.startsWith('subflow:')) labels.set(id, name || type)
  })
  return labels
}
