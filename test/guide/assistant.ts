import type { BrowserContext, Locator, Page } from 'playwright-core'
import { arrive } from '../support/browser.ts'

type Side = { kind: 'tcp-client' | 'tcp-server'; host: string; port: number }

/** The network debug assistant in a browser that has signed in. */
export class Assistant {
  readonly page: Page
  private readonly network: Locator

  private constructor(page: Page) {
    this.page = page
    this.network = page.locator('form', { has: page.locator('select[name=kind]') })
  }

  static async open(context: BrowserContext, url: string): Promise<Assistant> {
    const page = await context.newPage()
    await page.setViewportSize({ width: 1120, height: 660 })
    await arrive(
      page,
      () => page.goto(`${url}/assistant`),
      () => page.locator('select[name=kind]').waitFor(),
    )
    return new Assistant(page)
  }

  /** Fills in the network settings and presses Connect or Open. */
  async start(side: Side): Promise<void> {
    await this.page.bringToFront()
    await this.network.locator('select[name=kind]').selectOption(side.kind)
    if (side.kind === 'tcp-client') {
      await this.network.locator('[name=host]').fill(side.host)
      await this.network.locator('[name=port]').fill(String(side.port))
    } else {
      await this.network.locator('[name=localHost]').fill(side.host)
      await this.network.locator('[name=localPort]').fill(String(side.port))
    }
    await this.network.locator('button[type=submit]').click()
    await this.page.locator('button[name=send]:enabled').waitFor()
  }

  async send(text: string): Promise<void> {
    await this.page.bringToFront()
    await this.page.locator('textarea[name=payload]').fill(text)
    await this.page.locator('button[name=send]').click()
    await this.expect('tx', text)
  }

  /** Waits until the log has this line: received (rx) or sent (tx). */
  async expect(direction: 'rx' | 'tx', text: string): Promise<void> {
    await this.page.getByRole('log').locator(`.entry.${direction}`, { hasText: text }).first().waitFor()
  }

  /** Waits until so many connections are there. */
  async expectPeers(count: number): Promise<void> {
    await this.page.locator(`select[name=peer] option`).nth(count).waitFor({ state: 'attached' })
  }

  /** Presses Disconnect or Close, and takes the tab away. */
  async stop(): Promise<void> {
    await this.page.bringToFront()
    await this.network.locator('button[type=submit]').click()
    await this.page.locator('button[name=send]:disabled').waitFor()
    await this.page.locator('.tab.chosen .close').click()
    await this.page.locator('.tab').first().waitFor({ state: 'detached' })
  }
}
