import { diagnose, type PortRow } from './diagnosis.ts'
import type { PortsSnapshot, Reach } from './facts.ts'

const MAX_ROWS = 500

/** What the sidebar shows. `reach`: how ports are reached; `partly`: it is known of some only. `more`: rows that are left out. */
export type PortsView = {
  reach: 'direct' | 'unknown' | 'partly' | 'mapped'
  flows: PortsSnapshot['flows']
  rows: PortRow[]
  more: number
  /** Whether the debug assistant is there for links to it. */
  assistant?: boolean
}

/** The diagnosis of every port, as far as it can be known inside Node-RED. */
export function viewOf(snapshot: PortsSnapshot, published: { reach: (ports: readonly number[]) => Reach }): PortsView {
  const reach = published.reach(snapshot.listeners.map(({ port }) => port))
  const rows = diagnose(snapshot, reach)
  return {
    reach: reach.kind === 'mapped' && reach.partial ? 'partly' : reach.kind,
    flows: snapshot.flows,
    rows: rows.slice(0, MAX_ROWS),
    more: Math.max(0, rows.length - MAX_ROWS),
  }
}
