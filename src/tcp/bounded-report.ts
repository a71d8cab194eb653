const REPORT_EVERY_MS = 10_000

/** Reports events that peers can cause without limit: the first at once, then at most every ten seconds, with the number since. */
export type BoundedReport = { add: (message: string) => void; stop: () => void }

/** `many` names what is counted, such as "connections refused"; `atOnce`: how many are reported one by one. */
export function createBoundedReport(many: string, report: (message: string) => void, atOnce = 1): BoundedReport {
  let told = 0
  let sinceReport = 0
  let latest = ''
  let timer: NodeJS.Timeout | undefined
  const tell = () => {
    timer = undefined
    told = 0
    if (sinceReport === 0) return
    say(sinceReport === 1 ? latest : `${sinceReport} ${many}; the last: ${latest}`)
    sinceReport = 0
  }
  const say = (message: string) => {
    told += 1
    timer ??= setTimeout(tell, REPORT_EVERY_MS).unref()
    report(message)
  }
  return {
    add(message) {
      if (told < atOnce) return say(message)
      sinceReport += 1
      latest = message
    },
    stop: () => clearTimeout(timer),
  }
}
