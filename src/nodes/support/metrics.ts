import type { NodeRed, RedNode } from './node-red.ts'

/**
 * Of each message that a node receives, sends or completes Node-RED makes a record with its time, shows it to every log handler, and
 * throws it away unless metrics are on. Here it is made only when they are: three of them cost a good part of an echo.
 */
export function skipUnwantedMetrics({ log }: Pick<NodeRed, 'log'>, node: RedNode): void {
  const { metric } = node
  if (!log || !metric) return
  node.metric = (...args) => (log.metric() ? metric.apply(node, args) : false)
}
