import type { BrowserContext, Locator, Page } from 'playwright-core'
import { openEditorIn, POLL_MS } from '../support/browser.ts'
import { around, type Box } from './pictures.ts'

const CANVAS_MARGIN = 20
const DIALOG_MARGIN = 20
const DEBUG_HEADER_HEIGHT = 50

/** The editor in a browser, used as a reader of the guide uses it. */
export class Editor {
  readonly page: Page

  private constructor(page: Page) {
    this.page = page
  }

  /** Opens the address and signs in. */
  static async open(context: BrowserContext, url: string, password: string): Promise<Editor> {
    const page = await openEditorIn(context, { url, password })
    await page.locator('.red-ui-flow-node-group').first().waitFor()
    return new Editor(page)
  }

  /** Clicks a tab; its label is the same in every language. */
  async showTab(label: string): Promise<void> {
    await this.page.bringToFront()
    await this.page.locator('.red-ui-workspace-tabs-container, #red-ui-workspace-tabs').getByText(label, { exact: true }).first().click()
    await this.until(`RED.nodes.workspace(RED.workspaces.active()).label === ${JSON.stringify(label)}`, `the tab “${label}” is not shown`)
    await this.node('connections').waitFor()
  }

  /** A node on the canvas by its name. */
  node(name: string): Locator {
    const label = this.page.locator('.red-ui-flow-node-label', { hasText: new RegExp(`^${name.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}$`) })
    return this.page.locator('.red-ui-flow-node-group', { has: label }).first()
  }

  /** Waits until the line under a node says this. */
  async expectStatus(name: string, text: string | RegExp): Promise<void> {
    await this.node(name).locator('.red-ui-flow-node-status-label', { hasText: text }).waitFor()
  }

  async openDialog(name: string): Promise<void> {
    await this.node(name).locator('.red-ui-flow-node').dblclick()
    await this.page.locator('#node-dialog-ok').waitFor()
    // The tray slides in.
    await this.settled(this.page.locator('.red-ui-tray'))
  }

  /** Presses Done; what was changed is not deployed yet. */
  async closeDialog(): Promise<void> {
    await this.page.locator('#node-dialog-ok').click()
    await this.page.locator('.red-ui-tray').waitFor({ state: 'detached' })
  }

  async deploy(): Promise<void> {
    await this.page.locator('#red-ui-header-button-deploy').click()
    await this.until('!RED.nodes.dirty()', 'the deploy has not ended')
    await this.page.locator('.red-ui-notification-success').last().waitFor()
    await this.page.locator('.red-ui-notification').first().waitFor({ state: 'detached' })
  }

  /** Presses the button of an inject node. */
  async press(name: string): Promise<void> {
    await this.node(name).locator('.red-ui-flow-node-button-button').click()
    const notification = this.page.locator('.red-ui-notification')
    await notification.first().waitFor()
    await notification.first().waitFor({ state: 'detached' })
  }

  /** Empties the debug sidebar. */
  async clearDebug(): Promise<void> {
    await this.page.bringToFront()
    await this.page.locator('#red-ui-sidebar-debug-clear').click()
    await this.debug().first().waitFor({ state: 'detached' })
  }

  /** Waits for a debug message of this node that contains the text. */
  async expectDebug(name: string, text: string): Promise<void> {
    await this.debug().filter({ hasText: name }).filter({ hasText: text }).first().waitFor()
  }

  debug(): Locator {
    return this.page.locator('.red-ui-debug-msg')
  }

  /** Where the nodes of the tab are. */
  async canvasBox(): Promise<Box> {
    // A click on the empty canvas takes the selection away.
    await this.page.evaluate('RED.view.select({ nodes: [] })')
    const boxes = await Promise.all((await this.page.locator('.red-ui-flow-node-group').all()).map((node) => node.boundingBox()))
    const view = (await this.page.locator('#red-ui-workspace-chart').boundingBox())!
    // The sidebar lies on top of the canvas.
    const sidebar = (await this.page.locator('.red-ui-debug-content-list').boundingBox())!
    const box = around(
      boxes.filter((found) => found !== null),
      CANVAS_MARGIN,
    )
    const [x, y] = [Math.max(box.x, view.x), Math.max(box.y, view.y)]
    return {
      x,
      y,
      width: Math.min(box.x + box.width, sidebar.x - CANVAS_MARGIN) - x,
      height: Math.min(box.y + box.height, view.y + view.height) - y,
    }
  }

  /** The dialog down to its last row. */
  async dialogBox(): Promise<Box> {
    const header = (await this.page.locator('.red-ui-tray-header').boundingBox())!
    const rows = await this.page.locator('.red-ui-tray-body .form-row:visible, .red-ui-tray-body summary:visible').all()
    const bottoms = (await Promise.all(rows.map((row) => row.boundingBox()))).map((row) => row!.y + row!.height)
    return { ...header, height: Math.max(...bottoms) + DIALOG_MARGIN - header.y }
  }

  /** The debug sidebar down to its last message. */
  async debugBox(): Promise<Box> {
    const list = (await this.page.locator('.red-ui-debug-content-list').boundingBox())!
    const boxes = await Promise.all((await this.debug().all()).map((message) => message.boundingBox()))
    const bottom = Math.max(...boxes.map((box) => (box ? box.y + box.height : 0)))
    const top = list.y - DEBUG_HEADER_HEIGHT
    return { x: list.x, y: top, width: list.width, height: Math.min(bottom, list.y + list.height) - top }
  }

  private async until(expression: string, otherwise: string): Promise<void> {
    await this.page.waitForFunction(expression, undefined, { polling: POLL_MS }).catch(async (cause: Error) => {
      const said = await this.page.locator('.red-ui-notification:visible').allInnerTexts()
      throw new Error([otherwise, ...said, cause.message].join('; '), { cause })
    })
  }

  private async settled(locator: Locator): Promise<void> {
    let before = ''
    for (let now = JSON.stringify(await locator.boundingBox()); now !== before; now = JSON.stringify(await locator.boundingBox())) {
      before = now
      await this.page.evaluate('new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)))')
    }
  }
}
