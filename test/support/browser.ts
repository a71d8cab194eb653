import { chromium, type Browser, type BrowserContext, type Page } from 'playwright-core'

const START_TIMEOUT_MS = 90_000
// By the clock: by frames, the default, nothing is looked at while a busy machine draws none.
export const POLL_MS = 100
export const CHROMIUM = process.env.CHROMIUM || '/usr/bin/chromium'
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
  const trouble: string[] = []
  page.on('requestfailed', (request) => trouble.push(`${request.url()}: ${request.failure()?.errorText}`))
  page.on('response', (response) => {
    if (response.status() >= 500) trouble.push(`${response.url()}: ${response.status()}`)
  })
  page.on('pageerror', (error) => trouble.push(error.message))
  await page.goto(url)
  await page.fill('[name=username]', 'admin')
  await page.fill('[name=password]', password)
  await page.click('button')
  const loaded = 'window.RED && RED.workspaces && RED.nodes.getType("tcp in") && RED.workspaces.active()'
  // Node-RED's loader waits for ever for a script that does not come; only what came of the requests tells which.
  await page.waitForFunction(loaded, undefined, { timeout: START_TIMEOUT_MS, polling: POLL_MS }).catch((cause: unknown) => {
    throw new Error(`the editor has not loaded; ${trouble.join('; ') || 'no request failed'}`, { cause })
  })
  return page
}
