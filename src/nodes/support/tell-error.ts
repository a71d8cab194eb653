import type { RedNode } from './node-red.ts'

/**
 * Tells an error of the node itself to Catch nodes and to the log. Node-RED writes none to the log that a Catch node hears; of what keeps a
 * whole node from its work, whoever reads the log has to know too.
 */
export function tellError(node: RedNode, text: string, { payload = text, code }: { payload?: string; code: string }): void {
  const message = { payload, code }
  if (!node._flow) return node.error(text, message)
  node._flow.handleError(node, text, message)
  node.error(text)
}
