import { setTimeout as sleep } from 'node:timers/promises'
import type { Page } from 'playwright-core'
import { waitUntil } from '../../src/testing/wait.ts'
import { effectMs, watchNextClick } from './in-page.ts'

const PAUSE_MS = 200
const EFFECT_TIMEOUT_MS = 30_000
// How bytes are shown: every row of the log changes with it.
const CHOICES = [
  { value: 'hex', effect: '.log .entry.hex' },
  { value: 'both', effect: '.log .entry.both' },
]

/** Clicks between two ways of showing bytes until it is ended; gives the milliseconds from each click to the frame that has its effect. */
export async function clickAgainAndAgain(page: Page, ended: AbortSignal): Promise<number[]> {
  const times: number[] = []
  // The first row has to be there before a click can change it.
  await page.locator('.log .entry').first().waitFor()
  for (let count = 0; !ended.aborted; count += 1) {
    const { value, effect } = CHOICES[count % CHOICES.length]!
    const box = (await page.locator('label', { has: page.locator(`input[name=show][value=${value}]`) }).boundingBox())!
    await page.evaluate(watchNextClick, effect)
    await page.mouse.click(box.x + box.width / 2, box.y + box.height / 2)
    await waitUntil(async () => (await page.evaluate(effectMs)) !== undefined, {
      within: EFFECT_TIMEOUT_MS,
      what: `the effect of a click on "${value}"`,
    })
    times.push((await page.evaluate(effectMs))!)
    await sleep(PAUSE_MS)
  }
  return times
}
