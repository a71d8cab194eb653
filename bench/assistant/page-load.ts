import { say } from '../../src/cli/terminal.ts'
import { waitUntil } from '../../src/testing/wait.ts'
import { median } from '../figures.ts'
import type { Visitor } from './browser.ts'
import { usableMs } from './in-page.ts'

const LOADS = 20
const USABLE_TIMEOUT_MS = 30_000

/** What loads of the page after the login have come to: bytes on the wire, heads included, and milliseconds until it can be used. */
export type Loads = { bytes: number[]; usableMs: number[] }

/** Each load has an empty cache. */
export async function measureLoads(visitor: Visitor, signal: AbortSignal): Promise<Loads> {
  const loads: Loads = { bytes: [], usableMs: [] }
  for (let count = 0; count < LOADS; count += 1) {
    signal.throwIfAborted()
    const page = await visitor.newPage()
    const finished: Promise<number>[] = []
    page.on('requestfinished', (request) => {
      finished.push(request.sizes().then(({ responseBodySize, responseHeadersSize }) => responseBodySize + responseHeadersSize))
    })
    await visitor.openAssistant(page)
    await page.waitForLoadState('networkidle')
    await waitUntil(async () => (await page.evaluate(usableMs)) !== undefined, {
      within: USABLE_TIMEOUT_MS,
      what: 'a page that can be used',
    })
    loads.usableMs.push((await page.evaluate(usableMs))!)
    loads.bytes.push((await Promise.all(finished)).reduce((sum, bytes) => sum + bytes, 0))
    await page.context().close()
  }
  say(`assistant · ${LOADS} page loads: ${median(loads.bytes) / 1000} kB, usable after ${median(loads.usableMs).toFixed(0)} ms (medians)`)
  return loads
}
