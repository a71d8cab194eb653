import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { FlowNode } from '../../src/testing/admin-client.ts'
import { launchBrowser, openEditor } from '../support/browser.ts'
import { EmbeddedNodeRedTcp, type StartedEmbeddedNodeRedTcp } from '../../src/testing/embedded-node-red-tcp.ts'
import { Tab } from '../nodes/flow-builder.ts'

const PASSWORD = 'ports password'
const PORT = 15502
const COMMAND = `npm run ports -- publish ${PORT}`

/** The editor's own functions, called in the page. */
const inPage = {
  showTab: "RED.sidebar.show('node-red-tcp-ports')",
  activeTab: 'RED.workspaces.active()',
}

/** Loading the editor takes many times what a test does in it: each group of tests has one page, on what is deployed when it opens. */
describe('ports in the editor', { timeout: 180_000 }, () => {
  let nodeRed: StartedEmbeddedNodeRedTcp
  let browser: Browser
  let scenarios: FlowNode[]
  let page: Page

  beforeAll(async () => {
    const environment = { PUBLISHED_PORTS: '0.0.0.0:9500-9519' }
    nodeRed = await new EmbeddedNodeRedTcp().withAdminPassword(PASSWORD).withEnvironment(environment).start()
    scenarios = await (await nodeRed.admin).flows()
    browser = await launchBrowser()
  })
  afterAll(async () => {
    await browser?.close()
    await nodeRed?.[Symbol.asyncDispose]()
  })

  async function deploy(...nodes: FlowNode[]): Promise<void> {
    await (await nodeRed.admin).deploy([...scenarios, ...nodes])
  }

  /** The editor, once for all tests of a group, on what is deployed now. */
  function openOn(nodes: FlowNode[], locale = 'en-US'): void {
    beforeAll(async () => {
      await deploy(...nodes)
      page = await openEditor(browser, { url: nodeRed.getEditorUrl(), password: PASSWORD, locale })
      await page.evaluate(inPage.showTab)
      await rows().first().waitFor()
      return async () => await page.context().close()
    })
  }

  const rows = () => page.locator('.tcp-ports-row:not(.tcp-ports-header)')
  const rowOf = (port: number) => rows().filter({ has: page.locator('strong', { hasText: String(port) }) })
  const statusLabel = (hasText: string) => page.locator('.red-ui-flow-node-status-label', { hasText })
  const notification = () => page.locator('.red-ui-notification .tcp-ports-notification')

  function unpublished(...names: string[]): FlowNode[] {
    const tab = new Tab('live')
    names.forEach((name, index) => tab.tcpIn({ name, port: String(PORT + index) }))
    return tab.nodes
  }

  /** Nothing but the scenarios, and the page knows it. */
  async function deployNothing(): Promise<void> {
    await deploy()
    for (const port of [PORT, PORT + 1]) await rowOf(port).first().waitFor({ state: 'detached' })
    await notification().waitFor({ state: 'detached' })
  }

  describe('while flows are deployed', () => {
    openOn([])
    beforeEach(deployNothing)

    test('one notification for a port that a deploy opens and nobody publishes, with the command', async () => {
      await deploy(...unpublished('meters'))
      await notification().waitFor()
      expect(await notification().count()).toBe(1)
      const text = await notification().innerText()
      expect(text).toContain(`Port ${PORT} is not published`)
      expect(text).toContain(COMMAND)
      expect(text).toContain('live ports')
      await notification().getByRole('button', { name: 'Close' }).click()
      await notification().waitFor({ state: 'detached' })
      // The next deploy opens another one; the first is an old one by then.
      await deploy(...unpublished('meters', 'scales'))
      await notification().waitFor()
      expect(await notification().innerText()).not.toContain(String(PORT))
      expect(await notification().innerText()).toContain(`publish ${PORT + 1}`)
    })

    test('the notification goes when its ports are gone', async () => {
      await deploy(...unpublished('meters'))
      await notification().waitFor()
      await deploy()
      await notification().waitFor({ state: 'detached' })
      await rowOf(PORT).waitFor({ state: 'detached' })
    })
  })

  describe('when it is opened', () => {
    openOn(unpublished('meters', '<img src=x onerror=alert(1)>', 'a node with quite a long name that has to go somewhere'))

    test('there is no notification for ports that were open before', async () => {
      await rowOf(PORT).waitFor()
      expect(await notification().count()).toBe(0)
    })

    test('the table says of every port who uses it, where it is reached and what mends it', async () => {
      for (const part of ['meters', 'live', 'listening', 'not published', COMMAND]) {
        await expect.poll(() => rowOf(PORT).innerText()).toContain(part)
      }
      // What comes from flows is text.
      await expect.poll(() => rowOf(PORT + 1).innerText()).toContain('<img src=x onerror=alert(1)>')
      expect(await page.locator('.tcp-ports img').count()).toBe(0)
      await expect.poll(() => rows().filter({ hasText: '127.0.0.1:9601' }).innerText()).toContain('nobody listens there')
      expect(await page.locator('.tcp-ports').innerText()).not.toMatch(/\b(column|state|problem|advice|note|reason|by)\.\w/)
    })

    test('a click, or Enter, on a node shows it', async () => {
      const link = rowOf(PORT).getByRole('button', { name: 'meters' })
      await link.click()
      await expect.poll(() => page.evaluate(inPage.activeTab)).toBe('live')
      await page.evaluate('RED.workspaces.show(RED.nodes.getWorkspaceOrder()[0])')
      await link.focus()
      await page.keyboard.press('Enter')
      await expect.poll(() => page.evaluate(inPage.activeTab)).toBe('live')
    })

    test('the number of clients follows, and focus stays where it is', async () => {
      const copy = rowOf(PORT).getByRole('button', { name: `Copy ${COMMAND}` })
      await copy.focus()
      const clients = () => rowOf(PORT).locator('.tcp-ports-cell-clients').innerText()
      await using _client = await nodeRed.tcp(PORT)
      await expect.poll(clients).toContain('1')
      expect(await page.evaluate("document.activeElement.getAttribute('aria-label')")).toBe(`Copy ${COMMAND}`)
    })

    test('the command is copied', async () => {
      await page.context().grantPermissions(['clipboard-read', 'clipboard-write'])
      await rowOf(PORT)
        .getByRole('button', { name: `Copy ${COMMAND}` })
        .click()
      expect(await page.evaluate('navigator.clipboard.readText()')).toBe(COMMAND)
    })

    test('the node on the canvas says that it is not reached', async () => {
      await page.evaluate("RED.workspaces.show('live')")
      await statusLabel(`:${PORT} not published · 0 connections`).waitFor()
      await using _client = await nodeRed.tcp(PORT)
      await statusLabel(`:${PORT} not published · 1 connection`).waitFor()
    })

    test.each([
      ['narrow', 220],
      ['wide', 700],
    ])('nothing is cut off in a %s sidebar', async (_name, width) => {
      await page.evaluate(`document.querySelector('.tcp-ports').style.width = '${width}px'`)
      const overflow = await page.evaluate(
        "(({ scrollWidth, clientWidth }) => scrollWidth - clientWidth)(document.querySelector('.tcp-ports'))",
      )
      expect(overflow).toBe(0)
    })
  })

  describe('in Chinese', () => {
    const tab = new Tab('live')
    tab.add('status', { scope: null }, tab.debug('status', 'status.text'))
    tab.tcpIn({ name: 'meters', port: String(PORT) })
    tab.tcpIn({ name: 'inside', port: String(PORT + 1), bind: '127.0.0.1' })
    tab.tcpIn({ name: 'twice', port: String(PORT) })
    tab.tcpIn({ name: 'wrong', port: '70000' })
    openOn(tab.nodes, 'zh-CN')

    test('the nodes on the canvas say so, and flows still see the English text', async () => {
      await using debug = await (await nodeRed.admin).debug()
      await page.evaluate("RED.workspaces.show('live')")
      await statusLabel(`:${PORT} 未发布 · 0 个连接`).waitFor()
      await statusLabel(`Node-RED 无法监听端口 ${PORT}：端口已被占用`).waitFor()
      await statusLabel('“70000”不是 1 到 65535 之间的端口号').waitFor()
      await statusLabel(`127.0.0.1:${PORT + 1} 仅容器内 · 0 个连接`).waitFor()
      await using _client = await nodeRed.tcp(PORT)
      await statusLabel(`:${PORT} 未发布 · 1 个连接`).waitFor()
      await debug.next(({ name, msg }) => name === 'status' && msg === '1 connection')
      // Drawing all of it anew does not change it back.
      await page.evaluate('RED.view.redraw(true)')
      expect(await page.locator('.red-ui-flow-node-status-label').allTextContents()).not.toContainEqual(
        expect.stringMatching(/listen|port/),
      )
    })

    test('notification and table', async () => {
      await deployNothing()
      await deploy(...unpublished('meters'))
      await notification().waitFor()
      expect(await notification().innerText()).toContain(`端口 ${PORT} 未发布，容器外部无法访问。`)
      expect(await notification().innerText()).toContain(COMMAND)
      const text = await page.locator('.tcp-ports').innerText()
      for (const part of ['端口', '使用者', '监听中', '未发布', '对方没有监听该端口']) expect(text).toContain(part)
      expect(text).not.toMatch(/not published|listening|Declared/)
    })
  })
})
