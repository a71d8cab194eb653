import { createBoundedReport, type BoundedReport } from '../../tcp/bounded-report.ts'
import type { Session } from '../../tcp/session.ts'
import type { RedNode } from './node-red.ts'

const AT_ONCE = 20

type Loss = { session: Session; cause: Error }

/** Errors of nodes whose connections were closed to free memory: the first ones singly, then by number. */
export function createCrowdingReports() {
  const reports = new WeakMap<RedNode, { report: BoundedReport; last: Loss }>()
  return {
    add(node: RedNode, loss: Loss): void {
      let known = reports.get(node)
      if (!known) {
        const tell = (message: string) => {
          const { ip, port, id } = reports.get(node)!.last.session
          node.error(message, { payload: message, code: 'MEMORY', ip, port, _session: { type: 'tcp', id } })
        }
        known = { report: createBoundedReport('connections were closed for TCP_MEMORY', tell, AT_ONCE), last: loss }
        reports.set(node, known)
      }
      known.last = loss
      known.report.add(loss.cause.message)
    },
  }
}
