import type { Page } from 'playwright-core'
import { say } from '../../src/cli/terminal.ts'
import { percentile } from '../figures.ts'
import { readSettledRss, watchPeakRss } from '../memory.ts'
import { runLoad } from '../run-load.ts'
import { findPagePid, readHeap, waitForPage, type Visitor } from './browser.ts'
import { clickAgainAndAgain } from './clicks.ts'
import type { Control } from './control.ts'
import { checkLog } from './flood-check.ts'
import type { FloodJob, FloodOutcome } from './flood-load.ts'
import { startSampling, stopSampling } from './in-page.ts'

/** What is promised: so many messages a second for so long. */
export const FLOOD = { perSecond: 20_000, seconds: 10 }
const FLOODS = ['first', 'second'] as const
// As many as the assistant takes at most by itself, with some left; the lines of one are far enough apart to be an entry each.
const CONNECTIONS = 50
const LINE_BYTES: [number, number] = [64, 64]
const LOAD_TIMEOUT_MS = 120_000
const HEAP_SAMPLE_MS = 500

/** Bytes in use: before the first flood, at most, and once it is quiet after each. */
export type Memory = { before: number; peak: number; after: number[] }

export type FloodFigures = {
  name: string
  sent: number
  perSecond: number
  lost: number
  entries: number
  /** Milliseconds from the last line until the page has all that the server keeps. */
  caughtUpMs: number
}

export type FloodReport = {
  floods: FloodFigures[]
  frames: number[]
  lags: number[]
  clicks: number[]
  memory: { server: Memory; page: Memory; heap: Memory }
}

/** Floods an endpoint while a page shows its log and somebody clicks in it; twice, to see whether memory goes on growing. */
export async function measureFlood(
  visitor: Visitor,
  { control, port, pid, signal }: { control: Control; port: number; pid: number; signal: AbortSignal },
): Promise<FloodReport> {
  const endpoint = await control.listen(port)
  const page = await visitor.newPage()
  await visitor.openAssistant(page)
  await page.locator('.log').waitFor()
  const session = await page.context().newCDPSession(page)
  await session.send('Performance.enable')
  const pagePid = await findPagePid(visitor.browser)
  const settled = async () => {
    const memory = { server: await readSettledRss(pid), page: await readSettledRss(pagePid) }
    // What nobody uses any more is not what the page keeps.
    await session.send('HeapProfiler.collectGarbage')
    return { ...memory, heap: await readHeap(session) }
  }
  const watches = { server: watchPeakRss(pid), page: watchPeakRss(pagePid) }
  const before = await settled()
  let heapPeak = before.heap
  const heapTimer = setInterval(() => void readHeap(session).then((bytes) => (heapPeak = Math.max(heapPeak, bytes))), HEAP_SAMPLE_MS)
  const after: (typeof before)[] = []
  const report = { floods: [] as FloodFigures[], frames: [] as number[], lags: [] as number[], clicks: [] as number[] }
  try {
    for (const name of FLOODS) {
      signal.throwIfAborted()
      const figures = await flood(page, { name, control, endpoint, port, signal, ...report })
      report.floods.push(figures)
      after.push(await settled())
      say(
        `assistant · ${name} flood: ${figures.sent} messages at ${figures.perSecond.toFixed(0)}/s, ${figures.lost} lost, frames p95 ${percentile(report.frames, 95).toFixed(0)} ms`,
      )
    }
  } finally {
    clearInterval(heapTimer)
  }
  const peak = { server: watches.server.stop(), page: watches.page.stop(), heap: heapPeak }
  await page.context().close()
  await control.ask('remove', { endpoint })
  const memoryOf = (key: 'server' | 'page' | 'heap') => ({ before: before[key], peak: peak[key], after: after.map((each) => each[key]) })
  return { ...report, memory: { server: memoryOf('server'), page: memoryOf('page'), heap: memoryOf('heap') } }
}

type Flooded = { name: string; control: Control; endpoint: string; port: number; signal: AbortSignal }

/** Adds what the page has shown meanwhile to frames, lags and clicks. */
async function flood(
  page: Page,
  { name, control, endpoint, port, signal, frames, lags, clicks }: Flooded & Pick<FloodReport, 'frames' | 'lags' | 'clicks'>,
): Promise<FloodFigures> {
  const job: FloodJob = { name, port, connections: Math.min(CONNECTIONS, control.limits.peers), ...FLOOD, bytes: LINE_BYTES }
  const { counters } = await control.until(endpoint, () => true, 'its state')
  const ended = new AbortController()
  await page.evaluate(startSampling)
  const clicking = clickAgainAndAgain(page, ended.signal)
  const sent = await runLoad<FloodOutcome>('assistant/flood-load.ts', job, { timeoutMs: LOAD_TIMEOUT_MS, signal }).finally(() =>
    ended.abort(),
  )
  const sentAt = performance.now()
  clicks.push(...(await clicking))
  const sampled = await page.evaluate(stopSampling)
  frames.push(...sampled.frames)
  lags.push(...sampled.lags)
  await waitForPage(page, control, endpoint)
  const caughtUpMs = performance.now() - sentAt
  const kept = await checkLog(control, endpoint, sent, counters.rxBytes)
  const lines = sent.sent.reduce((sum, count) => sum + count, 0)
  return { name, sent: lines, perSecond: lines / sent.seconds, ...kept, caughtUpMs }
}
