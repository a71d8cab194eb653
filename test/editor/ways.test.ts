import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { launchBrowser, openEditor } from '../support/browser.ts'
import { EmbeddedNodeRedTcp, type StartedEmbeddedNodeRedTcp } from '../../src/testing/embedded-node-red-tcp.ts'

const PASSWORD = 'ways password'
const TEXTS = [
  { locale: 'en-US', assistant: 'Debug assistant', dashboard: 'Dashboard', editor: 'Editor' },
  { locale: 'zh-CN', assistant: '网络调试助手', dashboard: '仪表盘', editor: '编辑器' },
]

describe('ways between the pages', { timeout: 180_000 }, () => {
  let nodeRed: StartedEmbeddedNodeRedTcp
  let browser: Browser

  beforeAll(async () => {
    nodeRed = await new EmbeddedNodeRedTcp().withAdminPassword(PASSWORD).withEnvironment({ HTTP_ADMIN_ROOT: '/admin' }).start()
    browser = await launchBrowser()
  })
  afterAll(async () => {
    await browser?.close()
    await nodeRed?.[Symbol.asyncDispose]()
  })

  /** The page that a click opens in a tab of its own. */
  async function choose(editor: Page, label: string): Promise<Page> {
    await editor.locator('#red-ui-header-button-sidemenu').click()
    const item = editor.locator('#red-ui-header-button-sidemenu-submenu > li > a', { hasText: label })
    await item.waitFor()
    const [page] = await Promise.all([editor.waitForEvent('popup'), item.click()])
    return page
  }

  test.each(TEXTS)(
    'lead from the editor to assistant and dashboard, and back: $locale',
    async ({ locale, assistant, dashboard, editor }) => {
      const url = nodeRed.getEditorUrl().replace(/\/admin\/?$/, '')
      const page = await openEditor(browser, { url: `${url}/admin/`, password: PASSWORD, locale })
      const assistantPage = await choose(page, assistant)
      await assistantPage.waitForURL(`${url}/admin/assistant/`)
      const back = assistantPage.getByRole('link', { name: editor, exact: true })
      expect(await back.evaluate((link) => (link as unknown as { href: string }).href)).toBe(`${url}/admin/`)
      const across = assistantPage.getByRole('link', { name: dashboard, exact: true })
      await across.waitFor()
      await across.click()
      await assistantPage.waitForURL(`${url}/dashboard/**`)

      const dashboardPage = await choose(page, dashboard)
      await dashboardPage.waitForURL(`${url}/dashboard/**`)
      await dashboardPage.getByRole('button').first().click()
      const home = dashboardPage.locator('a', { hasText: editor })
      await home.waitFor()
      expect(await home.evaluate((link) => (link as unknown as { href: string }).href)).toBe(`${url}/admin/`)
      await page.context().close()
    },
  )
})
