import type { RedNode } from './node-red.ts'
import { BadPortError, PortError } from './options.ts'

/**
 * Does what a node does at its start. A mistake in its properties stops the node with an error that a Catch node sees and a red status.
 */
export function startOrFail(node: RedNode, start: () => void): void {
  try {
    start()
  } catch (error) {
    const { message } = error as Error
    // A missing port has its own status.
    if (!(error instanceof PortError)) node.startError = message
    const failed = { reason: message, ...(error instanceof BadPortError && { badPort: error.badPort }) }
    node.status({ fill: 'red', shape: 'ring', text: message, failed })
    // Catch nodes are there once the flow has started.
    setImmediate(() => node.error(message, { payload: message }))
  }
}
