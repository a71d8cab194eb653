import type { Browser, BrowserContext, CDPSession, Page } from 'playwright-core'
import { launchBrowser, logIn } from '../../test/support/browser.ts'
import { waitUntil } from '../../src/testing/wait.ts'
import { readRss } from '../memory.ts'
import { PASSWORD } from '../server.ts'
import type { Control } from './control.ts'
import { watchForUse } from './in-page.ts'

const WINDOW = { width: 1280, height: 800 }
const CAUGHT_UP_TIMEOUT_MS = 120_000

type SignedIn = Awaited<ReturnType<BrowserContext['storageState']>>

/** A browser of somebody who has signed in. */
export class Visitor implements AsyncDisposable {
  readonly browser: Browser
  private readonly url: string
  private readonly state: SignedIn

  private constructor(browser: Browser, url: string, state: SignedIn) {
    this.browser = browser
    this.url = url
    this.state = state
  }

  static async signIn(url: string): Promise<Visitor> {
    const browser = await launchBrowser()
    try {
      const context = await browser.newContext()
      const page = await context.newPage()
      const mayAct = page.locator('[data-preset]:enabled').first()
      await logIn(page, { url: `${url}/assistant`, password: PASSWORD }, () => mayAct.waitFor())
      const state = await context.storageState()
      await context.close()
      return new Visitor(browser, url, state)
    } catch (error) {
      await browser.close()
      throw error
    }
  }

  /** A page with an empty cache, about to go to the assistant. */
  async newPage(): Promise<Page> {
    const context = await this.browser.newContext({ storageState: this.state, locale: 'en-US', viewport: WINDOW })
    const page = await context.newPage()
    await page.addInitScript(watchForUse)
    return page
  }

  /** The assistant, ready to be used. */
  async openAssistant(page: Page): Promise<void> {
    await page.goto(`${this.url}/assistant/`, { waitUntil: 'commit' })
    await page.locator('[data-preset]:enabled, .log').first().waitFor()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.browser.close()
  }
}

/** What the page's program has in use, in bytes. */
export async function readHeap(session: CDPSession): Promise<number> {
  const { metrics } = await session.send('Performance.getMetrics')
  const used = metrics.find(({ name }) => name === 'JSHeapUsedSize')?.value
  if (used === undefined) throw new Error('Chromium does not tell JSHeapUsedSize')
  return used
}

/** The process that shows the only page: of those that show pages, the largest. Others are kept in store by Chromium. */
export async function findPagePid(browser: Browser): Promise<number> {
  const session = await browser.newBrowserCDPSession()
  const { processInfo } = await session.send('SystemInfo.getProcessInfo')
  await session.detach()
  const pids = processInfo.filter(({ type }) => type === 'renderer').map(({ id }) => id)
  if (pids.length === 0) throw new Error('Chromium has no process that shows a page')
  return pids.toSorted((a, b) => readRss(b) - readRss(a))[0]!
}

/** Waits until the page says that it has as many entries as the server keeps, and that none is still to load. */
export async function waitForPage(page: Page, control: Control, endpoint: string): Promise<void> {
  const entriesOf = async () => {
    const { log } = await control.until(endpoint, ({ peers }) => peers.length === 0, 'nobody is connected', CAUGHT_UP_TIMEOUT_MS)
    return log.last - log.first + 1
  }
  const hasAll = async () => {
    const [count = '', ...more] = (await page.locator('.toolbar .count').innerText()).split(' · ')
    const isLoading = more.some((text) => text.includes('to load'))
    return !isLoading && Number(count.replace(/\D/g, '')) === (await entriesOf())
  }
  await waitUntil(hasAll, { within: CAUGHT_UP_TIMEOUT_MS, what: 'all entries in the page' })
}
