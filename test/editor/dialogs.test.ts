import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { FlowNode } from '../../src/testing/admin-client.ts'
import { dialogIsOpen, launchBrowser, openEditor } from '../support/browser.ts'
import { EmbeddedNodeRedTcp, type StartedEmbeddedNodeRedTcp } from '../../src/testing/embedded-node-red-tcp.ts'
import { Tab } from '../nodes/flow-builder.ts'

const PASSWORD = 'dialog password'

/** The editor's own functions, called in the page. */
const inPage = {
  open: (id: string) => `RED.editor.edit(RED.nodes.node(${JSON.stringify(id)}))`,
  /** Its new id. */
  imported: (node: FlowNode) => `RED.nodes.import([${JSON.stringify(node)}], { generateIds: true }).nodes[0].id`,
  exported: (id: string) => `RED.nodes.convertNode(RED.nodes.node(${JSON.stringify(id)}))`,
}

/** Nodes as Node-RED's own editor exports them: stock properties only. */
function stockNodes(): FlowNode[] {
  const tab = new Tab('stock')
  // The dialogs are what counts: nothing has to listen.
  tab.nodes[0]!.disabled = true
  tab.tcpIn({ name: 'server', port: '9510' })
  tab.tcpIn({ name: 'client', server: 'client', host: 'device', port: '${PORT}', datatype: 'utf8', newline: '\\n', trim: true })
  tab.tcpIn({ name: 'single', port: '9511', datamode: 'single', datatype: 'base64', newline: '\\n' })
  tab.tcpOut({ name: 'out client', beserver: 'client', host: 'device', port: '1', end: true })
  tab.tcpOut({ name: 'out server', beserver: 'server', port: '9512', base64: true })
  tab.tcpOut({ name: 'reply' })
  for (const out of ['time', 'char', 'count', 'sit', 'immed'])
    tab.tcpRequest({ name: out, server: 'device', port: '1', out, splitc: out === 'char' ? '\\n' : '0' })
  return tab.nodes
}

describe('the dialogs of the tcp nodes', { timeout: 180_000 }, () => {
  let nodeRed: StartedEmbeddedNodeRedTcp
  let browser: Browser
  /** One for each language: loading the editor takes many times what a test does in it. */
  const pages = new Map<string, Page>()

  beforeAll(async () => {
    nodeRed = await new EmbeddedNodeRedTcp().withAdminPassword(PASSWORD).start()
    await (await nodeRed.admin).deploy(stockNodes())
    browser = await launchBrowser()
  })
  afterAll(async () => {
    await browser?.close()
    await nodeRed?.[Symbol.asyncDispose]()
  })

  async function editor(locale: string): Promise<Page> {
    const page = pages.get(locale) ?? (await openEditor(browser, { url: nodeRed.getEditorUrl(), password: PASSWORD, locale }))
    pages.set(locale, page)
    return page
  }

  async function edit(page: Page, id: string): Promise<void> {
    await page.evaluate(inPage.open(id))
    await dialogIsOpen(page)
  }

  async function confirm(page: Page): Promise<void> {
    await page.locator('#node-dialog-ok').click()
    await page.locator('#node-dialog-ok').waitFor({ state: 'hidden' })
  }

  const tcpNodes = () => stockNodes().filter(({ type }) => type.startsWith('tcp'))

  test.each(['en-US', 'zh-CN'])('every text is there in %s', async (locale) => {
    const page = await editor(locale)
    const texts: string[] = []
    for (const { id } of tcpNodes()) {
      await edit(page, id)
      texts.push(await page.locator('.red-ui-editor .red-ui-tray-body').last().innerText())
      await page.locator('#node-dialog-cancel').click()
      await page.locator('#node-dialog-ok').waitFor({ state: 'hidden' })
    }
    // A key without a text shows as itself.
    expect(texts.join('\n')).not.toMatch(/\b(tcpin|shared|tcp-in|tcp-out|tcp-request|label|common)\.[a-z]/)
    expect(/[\u4e00-\u9fff]/.test(texts.join(''))).toBe(locale === 'zh-CN')
  })

  test('a node from Node-RED’s own editor is opened and confirmed without gaining or losing a property', async () => {
    const page = await editor('en-US')
    for (const { id } of tcpNodes()) {
      const before = await page.evaluate(inPage.exported(id))
      await edit(page, id)
      await confirm(page)
      expect(await page.evaluate(inPage.exported(id)), String(id)).toEqual(before)
    }
    expect(await page.evaluate('RED.nodes.dirty()')).toBe(false)
  })

  test('an option of ours is exported when it is set, and gone when it is cleared', async () => {
    const page = await editor('en-US')
    const { id } = tcpNodes()[0]!
    const before = await page.evaluate(inPage.exported(id))
    const field = page.locator('#node-row-maxConnections input')
    await edit(page, id)
    await page.locator('.red-ui-tray-body summary').first().click()
    await field.fill('7')
    await confirm(page)
    expect(await page.evaluate(inPage.exported(id))).toEqual({ ...(before as object), maxConnections: 7 })
    await edit(page, id)
    await field.fill('')
    await confirm(page)
    expect(await page.evaluate(inPage.exported(id))).toEqual(before)
  })

  test('an option that a flow brings along is kept when its node is confirmed', async () => {
    const page = await editor('en-US')
    for (const name of ['reply', 'sit']) {
      const node = tcpNodes().find((candidate) => candidate.name === name)!
      const id = String(await page.evaluate(inPage.imported({ ...node, slowPeer: 'error' })))
      await edit(page, id)
      await confirm(page)
      expect(await page.evaluate(inPage.exported(id)), name).toMatchObject({ slowPeer: 'error' })
    }
  })

  test('a tcp request newly put on the canvas has a connection for every request; one from elsewhere does not', async () => {
    const page = await editor('en-US')
    const made = await page.evaluate("RED.nodes.convertNode(RED.view.createNode('tcp request', 100, 100, RED.workspaces.active()).node)")
    expect(made).toMatchObject({ type: 'tcp request', separate: true })
    const stock = tcpNodes().find(({ type }) => type === 'tcp request')!
    expect(await page.evaluate(`${inPage.exported(stock.id)}.separate`)).toBeUndefined()
  })
})
