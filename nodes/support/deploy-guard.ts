import { resume, suspend } from '../../tcp/registry.ts'
import type { Message, NodeRed, RedNode } from './node-red.ts'

const MAX_HELD_MESSAGES = 10_000
const HOOK = 'node-red-tcp-deploy'

type Delivery = { msg: Message; destination: { id: string; node?: RedNode }; cloneMessage?: boolean }
type ReceivingNode = RedNode & { receive: (message: Message) => void }

/**
 * Keeps messages and bytes while flows restart. Node-RED drops what is on its way to a node that is being stopped; here it is held and
 * given to the node's next instance. Sockets are not read meanwhile, so that what is held is only what was on its way.
 */
export function guardDeploys(RED: NodeRed): void {
  const { events, hooks } = RED
  if (!events || !hooks) return
  let held: { id: string; msg: Message }[] = []
  let lost = 0

  const hold = (delivery: Delivery): false => {
    const msg = delivery.cloneMessage ? RED.util.cloneMessage(delivery.msg) : delivery.msg
    if (held.length < MAX_HELD_MESSAGES) held.push({ id: delivery.destination.id, msg })
    else lost += 1
    return false
  }

  events.on('flows:stopping', () => {
    suspend()
    hooks.remove(`*.${HOOK}`)
    // Routed while flows are down: the destination may be stopped, or not be started yet.
    hooks.add(`preRoute.${HOOK}`, hold)
    // Was on its way already when its destination was stopped.
    hooks.add(`onReceive.${HOOK}`, (delivery: Delivery) => {
      const { id, node } = delivery.destination
      return RED.nodes.getNode(id) === node ? undefined : hold({ msg: delivery.msg, destination: { id } })
    })
  })

  events.on('flows:started', () => {
    hooks.remove(`*.${HOOK}`)
    const deliveries = held
    held = []
    for (const { id, msg } of deliveries) (RED.nodes.getNode(id) as ReceivingNode | null)?.receive(msg)
    resume()
    if (lost > 0) process.emitWarning(`${lost} messages were lost in a deploy: more than ${MAX_HELD_MESSAGES} were on their way`)
    lost = 0
  })
}
