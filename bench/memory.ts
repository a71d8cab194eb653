import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'

const SETTLE_SAMPLE_MS = 250
const SETTLE_SAMPLES = 10
const SETTLE_SPREAD_BYTES = 1024 * 1024
const SETTLE_TIMEOUT_MS = 15_000
const PEAK_SAMPLE_MS = 5

const COLLECT_WHEN_IDLE = `
let before = process.cpuUsage()
setInterval(() => {
  const { user, system } = process.cpuUsage(before)
  if (user + system < 100_000) gc({ type: 'major', execution: 'sync', flavor: 'last-resort' })
  before = process.cpuUsage()
}, 1_000).unref()`

/**
 * Has a server collect its garbage as long as it has nothing to do. V8 leaves tens of megabytes from the start of a program
 * for later: freed in the middle of a measurement, they would count as memory that connections give back.
 */
export const COLLECTING_ENV = { NODE_OPTIONS: `--expose-gc --import=data:text/javascript,${encodeURIComponent(COLLECT_WHEN_IDLE)}` }

/** Resident memory of a process in bytes. */
export function readRss(pid: number): number {
  // The kernel's kB are 1024 bytes.
  const kib = /^VmRSS:\s+(\d+) kB$/m.exec(readProc(pid, 'status'))?.[1]
  if (kib === undefined) throw new Error(`process ${pid} has no VmRSS: it has ended`)
  return Number(kib) * 1024
}

/** Resident memory once it has stopped moving, or after a while anyway. */
export async function readSettledRss(pid: number): Promise<number> {
  const deadline = Date.now() + SETTLE_TIMEOUT_MS
  const samples: number[] = []
  for (;;) {
    samples.push(readRss(pid))
    const last = samples.slice(-SETTLE_SAMPLES)
    const settled = last.length === SETTLE_SAMPLES && Math.max(...last) - Math.min(...last) <= SETTLE_SPREAD_BYTES
    if (settled || Date.now() > deadline) return last.at(-1)!
    await sleep(SETTLE_SAMPLE_MS)
  }
}

/** Watches resident memory until it is stopped, which tells the highest value. */
export function watchPeakRss(pid: number): { stop: () => number } {
  let peak = readRss(pid)
  const look = () => (peak = Math.max(peak, readRss(pid)))
  const timer = setInterval(look, PEAK_SAMPLE_MS)
  return {
    stop() {
      clearInterval(timer)
      return look()
    },
  }
}

/** How many files, sockets among them, a process may have open. */
export function readOpenFileLimit(pid: number): number {
  const limit = /^Max open files\s+(\d+)/m.exec(readProc(pid, 'limits'))?.[1]
  return limit === undefined ? Infinity : Number(limit)
}

function readProc(pid: number, file: string): string {
  const path = `/proc/${pid}/${file}`
  try {
    return readFileSync(path, 'utf8')
  } catch (cause) {
    throw new Error(`${path} cannot be read: memory is measured on Linux only, with the engine on the same machine`, { cause })
  }
}
