import type { Session } from '../../tcp/session.ts'
import { onceStarted } from './deploys.ts'
import type { NodeStatus } from './node-red.ts'

/** What a status says of one session. */
export type SessionEvent = Pick<NodeStatus, 'event' | 'ip' | 'port' | '_session' | 'adopted'>

export function eventOf(session: Session, { event, adopted }: { event: 'connect' | 'disconnect'; adopted: boolean }): SessionEvent {
  const { ip, port, id } = session
  return { event, ip, port, _session: { type: 'tcp', id }, ...(adopted ? { adopted } : {}) }
}

/** Tells things at once, but not before the nodes that are made now can hear of them. */
export function createLateTeller<T>(tell: (what: T) => void): (what: T) => void {
  let early: T[] | undefined = []
  onceStarted(() => {
    const all = early ?? []
    early = undefined
    for (const what of all) tell(what)
  })
  return (what) => {
    if (early) early.push(what)
    else tell(what)
  }
}
