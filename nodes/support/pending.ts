import type { Session } from '../../tcp/session.ts'
import type { Message, NodeRed, RedNode } from './node-red.ts'

type Delivery = { msg: Message }
type Tracked = { session: Session; deliveries: number }

/** Sends a session's messages, which have their `_msgid`, and stops reading from it while too many of them are not done. */
export type PendingLimit = { send: (session: Session, message: Message) => void }

const tracked = new Map<string, Tracked>()
const pendingOf = new WeakMap<Session, number>()
const limits = new Map<RedNode, number>()
const HOOK = 'node-red-tcp-pending'

/** A limit of `most` messages per session that are on their way; 0 means none, at no cost. */
export function createPendingLimit(RED: NodeRed, node: RedNode, most: number): PendingLimit {
  const { hooks } = RED
  if (most === 0 || !hooks) return { send: (_session, message) => node.send(message) }
  if (limits.size === 0) addHooks(hooks)
  limits.set(node, most)
  node.on('close', (_removed, done) => {
    limits.delete(node)
    if (limits.size === 0) {
      hooks.remove(`*.${HOOK}`)
      tracked.clear()
    }
    done()
  })
  return {
    send(session, message) {
      const id = String(message._msgid)
      const count = (pendingOf.get(session) ?? 0) + 1
      pendingOf.set(session, count)
      tracked.set(id, { session, deliveries: 0 })
      node.send(message)
      // Wired to nobody: it is done.
      if (tracked.get(id)?.deliveries === 0) finish(id)
      else if (count >= most) session.pause('busy')
    },
  }
}

/** A message is done when every node that it was delivered to, clones included, has completed it. */
function addHooks(hooks: NonNullable<NodeRed['hooks']>): void {
  hooks.add(`preDeliver.${HOOK}`, ({ msg }: Delivery) => {
    const entry = tracked.get(String(msg._msgid))
    if (entry) entry.deliveries += 1
  })
  hooks.add(`onComplete.${HOOK}`, ({ msg }: Delivery) => {
    const id = String(msg._msgid)
    const entry = tracked.get(id)
    if (!entry) return
    entry.deliveries -= 1
    if (entry.deliveries <= 0) finish(id)
  })
}

function finish(id: string): void {
  const { session } = tracked.get(id)!
  tracked.delete(id)
  pendingOf.set(session, (pendingOf.get(session) ?? 1) - 1)
  session.resume('busy')
}
