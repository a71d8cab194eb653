const REPORT_EVERY_MS = 10_000

/** Counts what a listener refuses and reports it at a bounded rate: at once, then at most every ten seconds with the number since. */
export type Refusals = { add: (address: string, why: string) => void; readonly count: number; stop: () => void }

export function createRefusals(report: (message: string) => void): Refusals {
  let count = 0
  let sinceReport = 0
  let latest = ''
  let timer: NodeJS.Timeout | undefined
  const tell = () => {
    timer = undefined
    if (sinceReport === 0) return
    report(sinceReport === 1 ? latest : `${sinceReport} connections refused; the last: ${latest}`)
    sinceReport = 0
    timer = setTimeout(tell, REPORT_EVERY_MS).unref()
  }
  return {
    add(address, why) {
      count += 1
      sinceReport += 1
      latest = `connection from ${address} refused: ${why}`
      if (!timer) tell()
    },
    get count() {
      return count
    },
    stop: () => clearTimeout(timer),
  }
}
