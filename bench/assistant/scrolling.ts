import type { Page } from 'playwright-core'
import type { EndpointInfo } from '../../src/assistant/shared/protocol.ts'
import { say } from '../../src/cli/terminal.ts'
import { percentile } from '../figures.ts'
import { runLoad } from '../run-load.ts'
import { waitForPage, type Visitor } from './browser.ts'
import type { Control } from './control.ts'
import { jumpAround, scrollSmoothly } from './in-page.ts'
import type { TalkJob } from './talk-load.ts'

const CONNECTIONS = 50
// From a short answer to what is wrapped into some lines; together less than the ring takes.
const LINE_BYTES: [number, number] = [16, 160]
const LOAD_TIMEOUT_MS = 180_000
// About as fast as a wheel that is turned without a rest: 2400 px a second at 60 frames.
const SMOOTHLY = { ms: 5_000, pxPerFrame: 40 }
const JUMPS = 50

/** Milliseconds from frame to frame while it scrolls, how many frames had no entry in the middle, and milliseconds from each jump until entries were there. */
export type Scrolled = { wrap: boolean; frames: number[]; blank: number; jumps: number[] }
export type ScrollReport = { entries: number; scrolled: Scrolled[] }

/** Fills a log to its limit and scrolls through it, with lines wrapped and not. */
export async function measureScrolling(
  visitor: Visitor,
  { control, port, signal }: { control: Control; port: number; signal: AbortSignal },
): Promise<ScrollReport> {
  const endpoint = await control.listen(port)
  const { log } = await fillLog(control, endpoint, { port, signal })
  const page = await visitor.newPage()
  await visitor.openAssistant(page)
  await waitForPage(page, control, endpoint)
  const scrolled: Scrolled[] = []
  for (const wrap of [true, false]) {
    signal.throwIfAborted()
    await page.getByLabel('Wrap lines').setChecked(wrap)
    scrolled.push(await scroll(page, wrap))
  }
  await page.context().close()
  await control.ask('remove', { endpoint })
  return { entries: log.last - log.first + 1, scrolled }
}

/** Talks until the log has dropped its first entry because there are too many. Every message is an entry, and every reply is. */
async function fillLog(control: Control, endpoint: string, { port, signal }: { port: number; signal: AbortSignal }): Promise<EndpointInfo> {
  const reply = { mode: 'text', text: '$&', encoding: 'utf8', escapes: false, ending: '', macros: false } as const
  await control.ask('rules', { endpoint, rules: [{ when: { by: 'regex', pattern: '.+' }, reply }] })
  const connections = Math.min(CONNECTIONS, control.limits.peers)
  const messages = Math.ceil(control.limits.logEntries / connections / 2)
  const job: TalkJob = { port, connections, messages, bytes: LINE_BYTES }
  await runLoad('assistant/talk-load.ts', job, { timeoutMs: LOAD_TIMEOUT_MS, signal })
  return await control.until(endpoint, ({ log, peers }) => log.dropped > 0 && peers.length === 0, 'a full log')
}

async function scroll(page: Page, wrap: boolean): Promise<Scrolled> {
  const { frames, blank } = await page.evaluate(scrollSmoothly, SMOOTHLY)
  const jumps = await page.evaluate(
    jumpAround,
    Array.from({ length: JUMPS }, () => Math.random()),
  )
  say(
    `assistant · scrolling ${wrap ? 'wrapped' : 'not wrapped'}: frames p95 ${percentile(frames, 95).toFixed(1)} ms, jumps p95 ${percentile(jumps, 95).toFixed(1)} ms`,
  )
  return { wrap, frames, blank, jumps }
}
