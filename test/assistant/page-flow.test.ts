import type { Page } from 'playwright-core'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { arrive, dialogIsOpen, POLL_MS } from '../support/browser.ts'
import { TcpClient } from '../../src/testing/tcp-client.ts'
import { waitUntil } from '../../src/testing/wait.ts'
import { AssistantPage } from './support/page.ts'

describe('a conversation becomes a flow', { timeout: 180_000 }, () => {
  let on: AssistantPage

  beforeAll(async () => {
    on = await AssistantPage.start()
  })
  afterAll(async () => await on?.[Symbol.asyncDispose]())
  beforeEach(() => async () => await on.leave())

  /** A device that answers `temp?` with `21.5`; the dialog that makes a flow of it. Gives the port that the flow is for. */
  async function converse(): Promise<number> {
    await using there = await on.device()
    await on.send('temp?')
    await there.device.expect('temp?')
    await there.device.send('21.5')
    await expect.poll(() => on.texts('rx')).toEqual(['21.5'])
    await on.tool('flow')
    return there.peer.port
  }
  const toEditor = async () => await on.page.locator('dialog [name=to-editor]').click()
  const said = () => on.page.locator('dialog .said').innerText()
  const loaded = async (editor: Page) =>
    await editor.waitForFunction('localStorage.getItem("node-red-tcp.editor")', undefined, {
      timeout: 60_000,
      polling: POLL_MS,
    })
  /** Types of the nodes on the tab that the editor shows. */
  const shownTypes = async (editor: Page) =>
    await editor.evaluate<string[]>('RED.nodes.filterNodes({ z: RED.workspaces.active() }).map(({ type }) => type)')
  const flowsOnServer = async () => JSON.stringify(await (await on.nodeRed.admin).flows())
  async function openEditor(): Promise<Page> {
    const editor = await on.page.context().newPage()
    await arrive(
      editor,
      () => editor.goto(on.url),
      () => loaded(editor),
    )
    return editor
  }

  test('it stands in the editor that opens, once, undeployed; deployed it plays the part', async () => {
    await on.open()
    const port = await converse()
    const before = await flowsOnServer()
    const [editor] = await Promise.all([on.page.context().waitForEvent('page'), toEditor()])
    await loaded(editor)
    await expect.poll(() => shownTypes(editor), { timeout: 20_000 }).toEqual(['tcp in', 'function', 'tcp out', 'debug'])
    expect(await editor.locator('.red-ui-notification', { hasText: 'stands on a tab of its own' }).count()).toBe(1)
    expect(await flowsOnServer()).toBe(before)
    expect(await on.page.evaluate('localStorage.getItem("node-red-tcp.flow")')).toBeNull()
    await editor.click('#red-ui-header-button-deploy')
    // Node-RED has the flows before their ports are bound.
    const listeners = async () => await (await fetch(`${on.nodeRed.getStatusUrl()}/listeners`)).text()
    await waitUntil(async () => new RegExp(`"port":\\s*${port}\\b`).test(await listeners()), {
      within: 20_000,
      what: 'the port of the flow',
    })
    expect(await flowsOnServer()).not.toBe(before)
    await using device = await TcpClient.connect(port)
    await device.send('temp?')
    await device.expect('21.5')
  })

  test('an editor that is open already takes it, and no other one opens', async () => {
    await on.open({ locale: 'zh-CN' })
    const editor = await openEditor()
    await on.page.bringToFront()
    await converse()
    const pages = on.page.context().pages().length
    await toEditor()
    await expect.poll(said).toContain('流程已放入已打开的编辑器')
    expect(await shownTypes(editor)).toEqual(['tcp in', 'function', 'tcp out', 'debug'])
    expect(on.page.context().pages().length).toBe(pages)
  })

  test('an editor in which a dialog is open says so, and takes it when that is closed', async () => {
    await on.open()
    const editor = await openEditor()
    await editor.evaluate('void RED.editor.edit(RED.nodes.filterNodes({ type: "tcp in" })[0])')
    await dialogIsOpen(editor)
    await on.page.bringToFront()
    await converse()
    await toEditor()
    await expect.poll(said).toContain('An edit dialog is open in the editor')
    await editor.bringToFront()
    await editor.locator('#node-dialog-cancel').click()
    await editor.locator('.red-ui-tray').waitFor({ state: 'detached' })
    await on.page.bringToFront()
    await toEditor()
    await expect.poll(said).toContain('The flow stands on a tab of its own')
  })

  test('node types that the editor does not know are named, and nothing is placed', async () => {
    await on.open()
    const editor = await openEditor()
    const admin = await on.nodeRed.admin
    const enable = async (enabled: boolean) =>
      await admin.request('/nodes/node-red/udp', {
        method: 'PUT',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ enabled }),
      })
    await enable(false)
    try {
      await editor.waitForFunction('!RED.nodes.registry.getNodeSetForType("udp in").enabled')
      const tabs = await editor.evaluate('RED.nodes.getWorkspaceOrder().length')
      await on.page.bringToFront()
      await on.page.locator('[name=kind]').selectOption('udp')
      await on.page.fill('[name=host]', '127.0.0.1')
      await on.page.locator('form button.open').click()
      await on.isOpen()
      await on.send('a datagram')
      await on.tool('flow')
      await toEditor()
      await expect.poll(said).toContain('does not know the node types udp in')
      expect(await editor.evaluate('RED.nodes.getWorkspaceOrder().length')).toBe(tabs)
      await editor.locator('.red-ui-notification', { hasText: 'lacks the node types udp in' }).waitFor()
    } finally {
      await enable(true)
    }
  })

  test('no editor answers, or the browser opens no tab: what to do is said', async () => {
    await on.open()
    await converse()
    await on.page.route(`${on.url}/`, (route) => route.abort())
    await toEditor()
    await expect.poll(said).toContain(`No editor answers at ${on.url}/`)
    await on.page.unroute(`${on.url}/`)
    await on.page.evaluate('window.open = () => null')
    await toEditor()
    await expect.poll(said).toContain('The browser did not let a tab be opened')
    // What waits is there for the editor that somebody opens.
    const editor = await openEditor()
    await expect.poll(() => shownTypes(editor), { timeout: 20_000 }).toEqual(['tcp in', 'function', 'tcp out', 'debug'])
  })

  test('a login that may not change flows is told so, and can still copy', async () => {
    await on.open()
    await on.page.routeWebSocket(/assistant\/socket/, (socket) => {
      socket.connectToServer().onMessage((message) => socket.send(String(message).replace('"flows":true', '"flows":false')))
    })
    await on.page.reload()
    await converse()
    expect(await on.page.locator('dialog [name=to-editor]').isDisabled()).toBe(true)
    expect(await on.page.locator('dialog').innerText()).toContain('flows.write is missing')
  })
})
