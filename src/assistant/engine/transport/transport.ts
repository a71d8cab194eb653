import type { Notice } from '../../shared/notice.ts'
import type { Limits } from '../../shared/protocol.ts'
import type { FaultSpec } from '../../shared/spec.ts'
import type { Link, Peer } from '../peer.ts'
import type { Targets } from '../targets.ts'

/** What sockets tell their endpoint. */
export type Host = {
  limits: Limits
  targets: Targets
  faults: () => FaultSpec
  opened: (local: { address: string; port: number }) => void
  /** It is over, and nothing will be tried again. */
  failed: (problem: Notice) => void
  /** The other side has ended; nothing will be tried again. */
  closed: () => void
  /** It will be tried again after so many milliseconds. */
  waiting: (ms: number, problem?: Notice) => void
  note: (peer: string, note: Notice) => void
  /** A new peer, or undefined when there are too many. */
  join: (link: Link, options?: { quiet?: boolean }) => Peer | undefined
  leave: (peer: Peer, problem?: Notice) => void
  ended: (peer: Peer) => void
}

export type Transport = {
  close: () => void
  /** Where bytes go when no peer is named; undefined: to all peers. */
  target?: () => Peer | undefined
}
