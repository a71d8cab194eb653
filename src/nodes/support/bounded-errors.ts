import { createBoundedReport } from '../../tcp/bounded-report.ts'
import type { Message, RedNode } from './node-red.ts'

const AT_ONCE = 20

/**
 * Catch nodes hear every error of a message. What none of them hears Node-RED writes to the log, and a peer that goes before its replies can
 * cause any number: here the first are written one by one, then their number.
 */
export function boundErrors(node: RedNode): void {
  const log = node.error.bind(node)
  let latest: string | Error = ''
  const report = createBoundedReport('errors', (text) => log(text === textOf(latest) ? latest : text), AT_ONCE)
  node.error = (error: string | Error, message?: Message) => {
    if (!message) return log(error)
    if (node._flow?.handleError(node, error, message)) return
    latest = error
    report.add(textOf(error))
  }
}

function textOf(error: string | Error): string {
  return typeof error === 'string' ? error : error.message
}
