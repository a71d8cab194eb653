// What all tcp nodes share: the state of the process, and what only nodes have.
import type { ProcessState } from '../../process/state.ts'
import type { Session } from '../../tcp/session.ts'
import { createCrowdingReports } from './crowding.ts'
import type { RedNode } from './node-red.ts'

/** The open sessions of a node. */
export type Endpoint = { readonly sessions: ReadonlySet<Session>; readonly node: RedNode }

export type Shared = ProcessState & {
  /** Every node that listens or connects. */
  endpoints: Set<Endpoint & { role: 'in' | 'out' }>
  // Strangers can have any number of connections closed for it.
  crowding: ReturnType<typeof createCrowdingReports>
}

export function createShared(state: ProcessState): Shared {
  return { ...state, endpoints: new Set(), crowding: createCrowdingReports() }
}
