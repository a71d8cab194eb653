import type { Browser, BrowserContext, Locator, Page } from 'playwright-core'
import { expect } from 'vitest'
import { launchBrowser, logIn, signIn } from '../../support/browser.ts'
import { EmbeddedNodeRedTcp, type StartedEmbeddedNodeRedTcp } from '../../../src/testing/embedded-node-red-tcp.ts'
import { TcpPeer } from '../../../src/testing/tcp-peer.ts'

const PASSWORD = 'assistant password'

// Not among those that the kernel gives to outgoing connections: dialling one of these again and again ends up connected to itself.
export async function quietPort(): Promise<number> {
  for (;;) {
    const port = 21_000 + Math.floor(Math.random() * 9_000)
    if (await isFree(port)) return port
  }
}

async function isFree(port: number): Promise<boolean> {
  return await TcpPeer.listen(port).then(
    async (peer) => {
      await peer.close()
      return true
    },
    () => false,
  )
}

type Look = { locale?: string; path?: string; width?: number; dark?: boolean }

/** The distribution, and a browser in which somebody works with the assistant's page. */
export class AssistantPage implements AsyncDisposable {
  private started: StartedEmbeddedNodeRedTcp
  private readonly start: () => Promise<StartedEmbeddedNodeRedTcp>
  readonly browser: Browser
  page!: Page

  private constructor(started: StartedEmbeddedNodeRedTcp, start: () => Promise<StartedEmbeddedNodeRedTcp>, browser: Browser) {
    this.started = started
    this.start = start
    this.browser = browser
  }

  static async start(environment: Record<string, string> = {}): Promise<AssistantPage> {
    const ports = { TCP_IN_CLIENT_PORT: String(await quietPort()), TCP_OUT_CLIENT_PORT: String(await quietPort()) }
    const start = async () =>
      await new EmbeddedNodeRedTcp()
        .withAdminPassword(PASSWORD)
        .withEnvironment({ ...ports, ...environment })
        .withCommand(['-D', 'socketReconnectTime=300'])
        .start()
    return new AssistantPage(await start(), start, await launchBrowser())
  }

  get nodeRed(): StartedEmbeddedNodeRedTcp {
    return this.started
  }

  /** With an `EDITOR_PORT` and a `DATA_DIR` of its own, the same server to a browser. */
  async restart(): Promise<void> {
    await this.started[Symbol.asyncDispose]()
    this.started = await this.start()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.browser.close()
    await this.nodeRed[Symbol.asyncDispose]()
  }

  get url(): string {
    return this.nodeRed.getEditorUrl()
  }

  /** Logs in with a browser that knows nothing yet. */
  async open({ locale = 'en-US', path = '/assistant', width = 1280, dark = false }: Look = {}): Promise<Page> {
    const context: BrowserContext = await this.browser.newContext({
      locale,
      viewport: { width, height: 800 },
      colorScheme: dark ? 'dark' : 'light',
      acceptDownloads: true,
    })
    this.page = await context.newPage()
    const url = `${this.url}${path}`
    await logIn(this.page, { url, password: PASSWORD }, () => this.page.locator('.welcome, .log').first().waitFor())
    return this.page
  }

  async logIn(): Promise<void> {
    await signIn(this.page, PASSWORD)
  }

  /** Removes every endpoint as a user would, and closes the browser's window. */
  async leave(): Promise<void> {
    await this.page.keyboard.press('Escape')
    await this.removeAll()
    await this.page.context().close()
  }

  async removeAll(): Promise<void> {
    const close = this.page.locator('.tabs .close')
    while ((await close.count()) > 0) {
      const count = await close.count()
      await close.first().click()
      await expect.poll(() => close.count()).toBeLessThan(count)
    }
  }

  entries(dir: 'rx' | 'tx' | 'note'): Locator {
    return this.page.locator(`.log .entry.${dir}`)
  }

  textOf(dir: 'rx' | 'tx'): Locator {
    return this.entries(dir).last().locator('.text')
  }

  texts = async (dir: 'rx' | 'tx'): Promise<string[]> => await this.entries(dir).locator('.text').allInnerTexts()

  async preset(name: string): Promise<void> {
    await this.page.locator(`[data-preset=${name}]`).click()
  }

  async isOpen(): Promise<void> {
    await this.page
      .locator('.tab.chosen .dot.open')
      .waitFor()
      .catch(async (cause: Error) => {
        throw new Error(`the endpoint has not opened; the page says: ${await this.page.locator('body').innerText()}`, { cause })
      })
  }

  async send(text: string): Promise<void> {
    await this.page.fill('[name=payload]', text)
    await this.page.locator('[name=send]').click()
    await this.textOf('tx').waitFor()
  }

  /** Fills in the form and opens what it says. */
  async dial(port: number, host = '127.0.0.1'): Promise<void> {
    await this.page.locator('[name=kind]').selectOption('tcp-client')
    await this.page.fill('[name=host]', host)
    await this.page.fill('[name=port]', String(port))
    await this.page.locator('form button.open').click()
  }

  async listenOn(port: number): Promise<void> {
    await this.page.locator('[name=kind]').selectOption('tcp-server')
    await this.page.fill('[name=localPort]', String(port))
    await this.page.locator('form button.open').click()
    await this.isOpen()
  }

  newEndpoint = async (): Promise<void> => await this.page.locator('.tabs .new').click()

  /** A device that the page is connected to. */
  async device(): Promise<{ peer: TcpPeer; device: Awaited<ReturnType<TcpPeer['accept']>> } & AsyncDisposable> {
    const peer = await TcpPeer.listen()
    await this.dial(peer.port)
    await this.isOpen()
    return { peer, device: await peer.accept(), [Symbol.asyncDispose]: async () => await peer.close() }
  }

  tool = async (name: string): Promise<Locator> => {
    await this.page.locator(`[data-tool=${name}]`).click()
    const dialog = this.page.locator('dialog')
    await dialog.waitFor()
    return dialog
  }

  /** What a click saves as a file. */
  async download(click: () => Promise<unknown>): Promise<{ name: string; bytes: Buffer }> {
    const [download] = await Promise.all([this.page.waitForEvent('download'), click()])
    const chunks: Buffer[] = []
    for await (const chunk of await download.createReadStream()) chunks.push(chunk as Buffer)
    return { name: download.suggestedFilename(), bytes: Buffer.concat(chunks) }
  }
}
