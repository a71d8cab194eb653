const REPORT_EVERY_MS = 10_000

/** Tells of things that peers can cause any number of: at once, then at most every ten seconds with the number since. */
export type BoundedReport = { add: (message: string) => void; stop: () => void }

/** `many` says what has happened so often, such as "connections refused". */
export function createBoundedReport(many: string, report: (message: string) => void): BoundedReport {
  let sinceReport = 0
  let latest = ''
  let timer: NodeJS.Timeout | undefined
  const tell = () => {
    timer = undefined
    if (sinceReport === 0) return
    report(sinceReport === 1 ? latest : `${sinceReport} ${many}; the last: ${latest}`)
    sinceReport = 0
    timer = setTimeout(tell, REPORT_EVERY_MS).unref()
  }
  return {
    add(message) {
      sinceReport += 1
      latest = message
      if (!timer) tell()
    },
    stop: () => clearTimeout(timer),
  }
}
