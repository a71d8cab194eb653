import type { NodeStatus, RedNode } from './node-red.ts'

// Requests may come and go by the thousand.
const PAUSE_MS = 500

/** The status of a tcp request: Node-RED's own, and beside it how many requests wait. */
export type RequestStatus = {
  show: (status: NodeStatus) => void
  /** The number of waiting requests may have changed. */
  countWaiting: () => void
  stop: () => void
}

export function createRequestStatus(node: RedNode, waiting: () => number): RequestStatus {
  let status: NodeStatus = {}
  let shown = 0
  let timer: NodeJS.Timeout | undefined
  const put = () => {
    shown = waiting()
    node.status(shown > 0 ? { ...status, waiting: shown } : status)
  }
  const look = () => {
    timer = undefined
    if (waiting() !== shown) put()
  }
  return {
    show(next) {
      status = next
      put()
    },
    countWaiting() {
      if (waiting() !== shown) timer ??= setTimeout(look, PAUSE_MS)
    },
    stop: () => clearTimeout(timer),
  }
}
