import type { Engine } from '../../tcp/engine.ts'
import { followDeploys, type DeployEnd } from './deploys.ts'
import { createHeldMessages } from './held-messages.ts'
import type { Message, NodeRed, RedNode, SessionRef } from './node-red.ts'
import { runningNodes } from './running-flows.ts'

const HOOK = 'node-red-tcp-deploy'

type Delivery = { msg: Message; source: { node?: RedNode }; destination: { id: string }; cloneMessage?: boolean }
type Reception = { msg: Message; destination: { id: string; node: RedNode } }
type ReceivingNode = RedNode & { receive: (message: Message) => void }

/**
 * Keeps messages and bytes while flows restart. Node-RED drops what is on its way to a node that is being stopped; here it is held and
 * given to the node's next instance. A session whose messages are held is not read meanwhile; all others go on, as nothing else is held.
 */
export function guardDeploys(RED: NodeRed, engine: Engine): void {
  const { events, hooks, nodes } = RED
  if (!events || !hooks) return
  const held = createHeldMessages(engine.budget)
  /** Nodes that ran before and are to run again. */
  const restarting = new Set<string>()

  const hold = (id: string, message: Message): false => {
    const { type, id: session } = (message._session ?? {}) as Partial<SessionRef>
    if (type === 'tcp' && session !== undefined) engine.suspendSession(session)
    held.hold(id, message)
    return false
  }

  function onStopping(removed: readonly string[]): void {
    engine.suspend()
    for (const id of runningNodes(RED)) restarting.add(id)
    for (const id of removed) restarting.delete(id)
    hooks!.remove(`*.${HOOK}`)
    // Is to be routed, and Node-RED would find nobody, or somebody for whom earlier messages wait.
    hooks!.add(`preRoute.${HOOK}`, ({ msg, source, destination: { id }, cloneMessage }: Delivery) => {
      if (!restarting.has(id) || (!held.has(id) && finds(source.node, id))) return undefined
      return hold(id, cloneMessage ? RED.util.cloneMessage(msg) : msg)
    })
    // Was on its way already when its destination was stopped.
    hooks!.add(`onReceive.${HOOK}`, ({ msg, destination: { id, node } }: Reception) => {
      if (!restarting.has(id) || nodes.getNode(id) === node) return undefined
      return hold(id, msg)
    })
  }

  const finds = (source: RedNode | undefined, id: string): boolean => Boolean(source?._flow ? source._flow.getNode(id) : nodes.getNode(id))

  function deliver(id: string, message: Message): boolean {
    const node = nodes.getNode(id) as ReceivingNode | null
    node?.receive(message)
    return Boolean(node)
  }

  function fail(id: string, error: Error, message: Message): boolean {
    const node = nodes.getNode(id)
    node?.error(error, message)
    return Boolean(node)
  }

  function onEnd(end: DeployEnd): void {
    hooks!.remove(`*.${HOOK}`)
    restarting.clear()
    const lost = held.release({ deliver, fail })
    // Whoever does not run yet may do so soon: a type that is missing can be installed.
    if (end !== 'failed') engine.orphans.end()
    engine.resume()
    if (lost > 0)
      process.emitWarning(
        `${lost} messages were lost in a deploy: they were on their way to nodes that were stopped, and ${end === 'started' ? 'their nodes are gone' : 'flows do not run'}`,
      )
  }

  followDeploys(RED, { onStopping, onStarting: engine.suspend, onEnd })
}
