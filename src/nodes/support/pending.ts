import type { Session } from '../../tcp/session.ts'
import { afterDeploys } from './deploys.ts'
import type { Message, NodeRed, RedNode } from './node-red.ts'

type Delivery = { msg: Message; destination: { node: RedNode } }
type Completion = { msg: Message; node: { node: RedNode } }

/** A message that is on its way, and the nodes that have it now. */
type Tracked = { count: PendingCount; at: RedNode[] }

/** A session's messages that are on their way, and how many there may be. */
type PendingCount = { session: Session; now: number; most: number }

/** Sends a session's messages, which have their `_msgid`, and stops reading from it while too many of them are not done. */
export type PendingLimit = {
  send: (session: Session, message: Message) => void
  /** The session was another's: what is on its way counts on, by this limit. */
  adopt: (session: Session) => void
}

const tracked = new Map<string, Tracked>()
const counts = new WeakMap<Session, PendingCount>()
const HOOK = 'node-red-tcp-pending'
let limits = 0
let hooked = false
let follows = false

/** A limit of `most` messages per session that are on their way; 0 means none, at no cost. */
export function createPendingLimit(RED: NodeRed, node: RedNode, most: number): PendingLimit {
  const { hooks } = RED
  if (most === 0 || !hooks) return { send: (_session, message) => node.send(message), adopt: (session) => adopt(session, Infinity) }
  limits += 1
  addHooks(RED, hooks)
  node.on('close', (_removed, done) => {
    limits -= 1
    removeHooks(hooks)
    done()
  })
  return {
    send(session, message) {
      const id = String(message._msgid)
      const count = countOf(session)
      count.most = most
      count.now += 1
      const entry: Tracked = { count, at: [] }
      tracked.set(id, entry)
      node.send(message)
      // Not wired to anything: it is done.
      if (tracked.get(id) === entry && entry.at.length === 0) finish(id)
      else if (count.now >= most) session.pause('busy')
    },
    adopt: (session) => adopt(session, most),
  }
}

function countOf(session: Session): PendingCount {
  let count = counts.get(session)
  if (!count) counts.set(session, (count = { session, now: 0, most: Infinity }))
  return count
}

function adopt(session: Session, most: number): void {
  const count = counts.get(session)
  if (!count) return
  count.most = most
  if (count.now >= most) session.pause('busy')
  else session.resume('busy')
}

/** A message is done when every node that it was delivered to, clones included, has completed it. */
function addHooks({ nodes }: NodeRed, hooks: NonNullable<NodeRed['hooks']>): void {
  if (hooked) return
  hooked = true
  hooks.add(`preDeliver.${HOOK}`, ({ msg, destination }: Delivery) => {
    tracked.get(String(msg._msgid))?.at.push(destination.node)
  })
  hooks.add(`onComplete.${HOOK}`, ({ msg, node: { node } }: Completion) => {
    const id = String(msg._msgid)
    const entry = tracked.get(id)
    const index = entry ? entry.at.indexOf(node) : -1
    if (!entry || index === -1) return
    entry.at.splice(index, 1)
    if (entry.at.length === 0) finish(id)
  })
  if (follows) return
  follows = true
  afterDeploys(() => {
    forgetStopped((node) => nodes.getNode(node.id) !== node)
    removeHooks(hooks)
  })
}

/** Node-RED's nodes that were stopped complete nothing any more, or at a time that nobody knows. */
function forgetStopped(isStopped: (node: RedNode) => boolean): void {
  for (const [id, entry] of [...tracked]) {
    entry.at = entry.at.filter((node) => !isStopped(node))
    if (entry.at.length === 0) finish(id)
  }
}

function removeHooks(hooks: NonNullable<NodeRed['hooks']>): void {
  // What is on its way is counted to its end, also when the limit has gone.
  if (!hooked || limits > 0 || tracked.size > 0) return
  hooked = false
  hooks.remove(`*.${HOOK}`)
}

function finish(id: string): void {
  const { count } = tracked.get(id)!
  tracked.delete(id)
  count.now -= 1
  if (count.now < count.most) count.session.resume('busy')
}
