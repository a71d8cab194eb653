import type { NodeConfig, NodeRed, RunningNode } from '../node-red.ts'

/** A TCP listener that a node of the flows declares. `port` is undefined when it is not a port number, or the node does not run. */
export type DeclaredListener = {
  node: string
  type: string
  name: string
  flow: string
  port: number | undefined
  configured: string
  isRunning: boolean
}

/** The TCP listeners that the enabled nodes of the flows declare. */
export function declaredListeners(RED: NodeRed): DeclaredListener[] {
  const configs: NodeConfig[] = []
  const flows = new Map<string, NodeConfig>()
  for (const config of allNodes(RED)) {
    if (config.type === 'tab') flows.set(config.id, config)
    else if (isListener(config) && config.d !== true) configs.push(config)
  }
  return configs.flatMap((config) => {
    const flow = flows.get(config.z ?? '')
    // Not on a tab: a subflow's template, of which instances run under ids of their own.
    if (flow === undefined || flow.disabled === true) return []
    const running = RED.nodes.getNode(config.id)
    return [
      {
        node: config.id,
        type: config.type,
        name: config.name ?? '',
        flow: flow.label ?? flow.id,
        port: runningPort(running),
        configured: String(config.port ?? ''),
        isRunning: running !== null && running !== undefined,
      },
    ]
  })
}

/** The label of every tab, and the name of every instance of a subflow, by id. */
export function flowLabels(RED: NodeRed): Map<string, string> {
  const labels = new Map<string, string>()
  for (const { id, label, name, type } of allNodes(RED)) {
    if (type === 'tab') labels.set(id, label ?? id)
    else if (type.startsWith('subflow:')) labels.set(id, name || type)
  }
  return labels
}

/** Why a node of ours has not even begun to listen, such as a certificate that cannot be used. */
export function startErrorOf(RED: NodeRed, node: string): string | undefined {
  const error = RED.nodes.getNode(node)?.startError
  return typeof error === 'string' ? error : undefined
}

/** The nodes of all flows; none before Node-RED has read them, when its own function throws. */
function allNodes(RED: NodeRed): NodeConfig[] {
  const nodes: NodeConfig[] = []
  try {
    RED.nodes.eachNode((node) => nodes.push(node))
  } catch {
    return []
  }
  return nodes
}

function isListener({ type, server, beserver }: NodeConfig): boolean {
  return (type === 'tcp in' && server === 'server') || (type === 'tcp out' && beserver === 'server')
}

function runningPort(node: RunningNode | null): number | undefined {
  const port = Number(node?.port)
  return Number.isInteger(port) && port > 0 && port < 65536 ? port : undefined
}
