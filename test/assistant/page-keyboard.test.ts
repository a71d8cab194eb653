import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { TcpPeer } from '../../src/testing/tcp-peer.ts'
import { AssistantPage } from './support/page.ts'

// More than there is on the page.
const MAX_STEPS = 150

describe('the page without a mouse', { timeout: 120_000 }, () => {
  let on: AssistantPage

  beforeAll(async () => {
    on = await AssistantPage.start()
  })
  afterAll(async () => await on?.[Symbol.asyncDispose]())
  beforeEach(() => async () => await on.leave())

  /** Goes on with the Tab key until an element has the focus, which has to show. */
  async function tabTo(selector: string): Promise<void> {
    const has = async () => (await on.page.locator(`${selector}:focus-visible`).count()) > 0
    for (let steps = 0; !(await has()); steps += 1) {
      if (steps === MAX_STEPS) throw new Error(`no way to ${selector} by the Tab key`)
      await on.page.keyboard.press('Tab')
    }
  }

  async function typeOver(selector: string, text: string): Promise<void> {
    await tabTo(selector)
    await on.page.keyboard.press('Control+a')
    await on.page.keyboard.type(text)
  }

  test('an endpoint is opened, a message sent, the answer found, and all closed again', async () => {
    await using peer = await TcpPeer.listen()
    const page = await on.open()
    await typeOver('[name=host]', '127.0.0.1')
    await typeOver('[name=port]', String(peer.port))
    await page.keyboard.press('Enter')
    await on.isOpen()
    const device = await peer.accept()

    await typeOver('[name=payload]', 'temp?')
    await page.keyboard.press('Control+Enter')
    await device.expect('temp?')
    await device.send('21.5')
    await expect.poll(() => on.texts('rx')).toEqual(['21.5'])

    await typeOver('[name=search]', '21')
    await expect.poll(() => page.locator('.log mark').count()).toBeGreaterThan(0)

    await tabTo('[role=log]')
    await tabTo('.tabs .close')
    await page.keyboard.press('Enter')
    await device.expectClose()
    await expect.poll(() => page.locator('.tab').count()).toBe(0)
  })

  test('a dialog takes the focus, keeps it, and gives it back', async () => {
    await on.open()
    await on.preset('tcp-response')
    await on.isOpen()
    await tabTo('[name=quick]')
    await on.page.keyboard.press('Enter')
    await on.page.locator('dialog[open]').waitFor()
    for (let steps = 0; steps < 20; steps += 1) {
      await on.page.keyboard.press('Tab')
      // Between the last and the first element the browser itself has the focus.
      expect(await on.page.locator(':focus:not(dialog):not(dialog *):not(body)').count()).toBe(0)
    }
    await on.page.keyboard.press('Escape')
    await expect.poll(() => on.page.locator('dialog[open]').count()).toBe(0)
    await on.page.locator('[name=quick]:focus').waitFor()
  })
})
