// What is known about ports, from inside Node-RED (status port) and from Docker. One direction: facts → diagnosis → whoever shows it.

import type { CertificateFault } from '../../tcp/facts/certificate-fault.ts'

/** A node that uses a port: its id, type, name, and the label of its flow. */
export type UsedBy = { node: string; type: string; name: string; flow: string }

/** A TCP port that Node-RED listens on or tries to; an entry of `GET /listeners`. */
export type ListenerFact = {
  port: number
  state: 'listening' | 'failed'
  role: 'editor' | 'status' | 'flow'
  /** The bound address: absent when listening failed. */
  address?: string
  /** `holder`: who has the port, where that is known. */
  error?: { code: string; message: string; holder?: string }
  /** Connections that are open; only of tcp nodes. */
  clients?: number
  sessions?: number
  /** Whether it takes a PROXY protocol header from a forwarder that has announced itself. */
  proxy?: boolean
  /** What is wrong with its certificate, where it speaks TLS. */
  certificate?: CertificateFault
  declaredBy: UsedBy[]
}

/** A connection that a tcp node makes; an entry of `GET /clients`. */
export type ClientFact = {
  host: string
  port: number
  state: 'connecting' | 'connected' | 'waiting'
  /** Why it is not connected; `code`: the system's name of the error, such as `ECONNREFUSED`, where it has one. */
  error?: string
  code?: string
  /** It leads to where the debug assistant would listen: that nobody does is no fault. */
  isToAssistant?: true
  usedBy: UsedBy
}

/** What `GET /listeners/stream` sends with every `listeners` event. `flows`: while they are not started, what is missing may still come. */
export type PortsSnapshot = { flows: 'starting' | 'started' | 'stopped'; listeners: ListenerFact[]; clients: ClientFact[] }

/** A way in from outside: `hostPort` at `address` of the host leads to `port` of Node-RED. */
export type Publication = { port: number; by: 'range' | 'forwarder'; address: string; hostPort: number }

/** A host port that could not be taken for a forwarder; `holder`: who has it, where that is known. */
export type PublishFailure = { port: number; hostPort: number; code: 'HOST_PORT_TAKEN' | 'REFUSED'; holder?: string; detail?: string }

/**
 * How ports are reached: `direct` without a mapping in between (no container, or on the host's network), `unknown` in a container of
 * which nobody has said what it publishes, `mapped` through publications. `partial`: there may be others that nobody has told of.
 */
export type Reach =
  { kind: 'direct' } | { kind: 'unknown' } | { kind: 'mapped'; publications: Publication[]; failures: PublishFailure[]; partial?: true }
