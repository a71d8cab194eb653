// What runs, seen from Node-RED's flow objects.
import type { NodeRed, RedNode, RunningFlow } from './node-red.ts'

/** The ids of all nodes that run, those inside subflows too. */
export function runningNodes({ nodes }: NodeRed): Set<string> {
  const ids = new Set<string>()
  const seen = new Set<RunningFlow>()
  const visit = (node: RedNode | null) => {
    const flow = node?._flow
    if (!flow || seen.has(flow)) return
    seen.add(flow)
    for (const [id, inside] of Object.entries(flow.getActiveNodes())) {
      ids.add(id)
      // The node that stands for a subflow has the flow inside as its own.
      visit(inside)
    }
  }
  nodes.eachNode?.(({ id }) => visit(nodes.getNode(id)))
  return ids
}

/** The flow of a node that was stopped, as it runs now: that of its next instance, or of another node of the same tab. */
function flowNow({ nodes }: NodeRed, { id, z }: RedNode): RunningFlow | undefined {
  const own = nodes.getNode(id)?._flow ?? (z === undefined ? undefined : nodes.getNode(z)?._flow)
  if (own) return own
  let found: RunningFlow | undefined
  nodes.eachNode?.((other) => {
    if (!found && other.z === z) found = nodes.getNode(other.id)?._flow
  })
  return found
}

/**
 * A node that was stopped may still have messages to complete or to fail: bytes that are being written. Its flow is gone with all Catch
 * and Complete nodes after a full deploy, so it speaks to the one that runs in its place.
 */
export function outliveFlow(RED: NodeRed, node: RedNode): void {
  node.on('close', (_removed, done) => {
    const stopped = node._flow
    if (stopped) {
      node._flow = new Proxy(stopped, {
        get(_target, name) {
          const flow = flowNow(RED, node) ?? stopped
          const value: unknown = Reflect.get(flow, name)
          return typeof value === 'function' ? (value.bind(flow) as unknown) : value
        },
      })
    }
    done()
  })
}
