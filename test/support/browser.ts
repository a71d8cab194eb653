import { existsSync } from 'node:fs'
import { networkInterfaces } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { chromium, type Browser, type BrowserContext, type Page, type Request, type Response } from 'playwright-core'

const START_TIMEOUT_MS = 90_000
// By the clock: by frames, the default, nothing is looked at while a busy machine draws none.
export const POLL_MS = 100
const NETWORK_CHANGED = 'net::ERR_NETWORK_CHANGED'
// A new interface has its addresses within a second or two.
const CALM_MS = 2_000
// Without windows of its own, which cost half of its time.
const HEADLESS = '/usr/bin/chromium-headless-shell'
export const CHROMIUM = process.env.CHROMIUM || (existsSync(HEADLESS) ? HEADLESS : '/usr/bin/chromium')
// Everything that a browser does on its own account off the page it shows.
const QUIET = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

/** Debian's Chromium, with a fresh profile. */
export async function launchBrowser(): Promise<Browser> {
  return await chromium.launch({ executablePath: CHROMIUM, headless: true, args: QUIET })
}

/** Opens the editor as a user does: by the login page. */
export async function openEditor(browser: Browser, options: { url: string; password: string; locale: string }): Promise<Page> {
  const context = await browser.newContext({ locale: options.locale, viewport: { width: 1400, height: 1000 } })
  return await openEditorIn(context, options)
}

/** The same in a context that is there. */
export async function openEditorIn(context: BrowserContext, { url, password }: { url: string; password: string }): Promise<Page> {
  const page = await context.newPage()
  const loaded = 'window.RED && RED.workspaces && RED.nodes.getType("tcp in") && RED.workspaces.active()'
  await logIn(page, { url, password }, () => page.waitForFunction(loaded, undefined, { timeout: START_TIMEOUT_MS, polling: POLL_MS }))
  return page
}

/** Waits until a dialog of the editor has slid in: a click on its way may miss, and in a page that is not shown nothing moves. */
export async function dialogIsOpen(page: Page): Promise<void> {
  const isOpen = `[...document.querySelectorAll('.red-ui-tray')].some((tray) => tray.getAnimations().length === 0 && getComputedStyle(tray).right === '0px')`
  await page.waitForFunction(isOpen, undefined, { polling: POLL_MS })
}

/** Opens a page by the login page, as a user does, and waits until it is ready. */
export async function logIn(
  page: Page,
  { url, password }: { url: string; password: string },
  ready: () => Promise<unknown>,
): Promise<void> {
  await arrive(
    page,
    () => page.goto(url),
    () => page.locator('[name=username]').waitFor(),
  )
  await arrive(page, () => signIn(page, password), ready)
}

/** Fills in the login page that is shown. */
export async function signIn(page: Page, password: string): Promise<void> {
  await page.fill('[name=username]', 'admin')
  await page.fill('[name=password]', password)
  await page.click('button')
}

/**
 * Goes to a page and waits until it is ready. Chromium breaks off what it is about to load when an interface of the machine comes or goes,
 * as Docker's do with every container, and no script asks for it again. Then the page is loaded anew once the network is calm, as its user
 * would.
 */
export async function arrive(page: Page, go: () => Promise<unknown>, ready: () => Promise<unknown>): Promise<void> {
  const deadline = Date.now() + START_TIMEOUT_MS
  const trouble = noteTrouble(page)
  for (let load = go; ; load = () => page.goto(page.url())) {
    const change = noticeNetworkChange(page)
    const arrival = load()
      .then(ready)
      .then(() => true)
    const isThere = await Promise.race([arrival, change.noticed])
      .catch(async (error: Error) => {
        if (error.message.includes(NETWORK_CHANGED)) return false
        throw new Error(`${page.url()} is not what was waited for: ${error.message}\n${await trouble.tell()}`, { cause: error })
      })
      .finally(change.stop)
    if (isThere) return trouble.stop()
    // It ends on its own, with whatever the new load makes of it.
    arrival.catch(() => {})
    if (Date.now() > deadline) throw new Error(`the network of this machine changed whenever ${page.url()} was loaded`)
    await calmNetwork(deadline)
  }
}

/** Notes what goes wrong in a page, to be told with what it shows when a test fails. */
function noteTrouble(page: Page) {
  const trouble: string[] = []
  const failed = (request: Request) => trouble.push(`${request.url()}: ${request.failure()?.errorText}`)
  const answered = (response: Response) => response.status() >= 400 && trouble.push(`${response.url()}: ${response.status()}`)
  const threw = (error: Error) => trouble.push(error.message)
  page.on('requestfailed', failed).on('response', answered).on('pageerror', threw)
  return {
    stop: () => void page.off('requestfailed', failed).off('response', answered).off('pageerror', threw),
    tell: async () => `${trouble.join('\n') || 'no request failed'}\nThe page says: ${await page.locator('body').innerText()}`,
  }
}

/** Waits until the addresses of this machine have stayed the same for a while. */
async function calmNetwork(deadline: number): Promise<void> {
  const look = () => JSON.stringify(networkInterfaces())
  let before = look()
  for (let since = Date.now(); Date.now() - since < CALM_MS && Date.now() < deadline;) {
    await sleep(POLL_MS)
    const now = look()
    if (now !== before) since = Date.now()
    before = now
  }
}

function noticeNetworkChange(page: Page): { noticed: Promise<false>; stop: () => void } {
  const { promise, resolve } = Promise.withResolvers<false>()
  const look = (request: Request) => {
    if (request.failure()?.errorText.includes(NETWORK_CHANGED)) resolve(false)
  }
  page.on('requestfailed', look)
  return { noticed: promise, stop: () => void page.off('requestfailed', look) }
}
