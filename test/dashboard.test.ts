import { once } from 'node:events'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { arrive, launchBrowser, logIn, POLL_MS } from './support/browser.ts'
import { describeRuntimes, type RunningNodeRedTcp } from './support/runtimes.ts'
import { TcpPeer } from './support/tcp-peer.ts'

const PASSWORD = 'dashboard password'
const HOSTILE = '<img src=x onerror="window.hacked=true"><b>bold</b> {{ constructor.constructor("window.hacked=true")() }} \u001b[31m\n'
const WAIT = { timeout: 10_000 }

async function openDashboard(browser: Browser, nodeRed: RunningNodeRedTcp, heard: (url: string) => void = () => {}): Promise<Page> {
  const page = await (await browser.newContext({ locale: 'en-US', viewport: { width: 1400, height: 1100 } })).newPage()
  page.on('request', (request) => heard(request.url()))
  const url = `${nodeRed.getEditorUrl()}/dashboard`
  await logIn(page, { url, password: PASSWORD }, () => page.getByRole('region', { name: 'TCP response' }).waitFor())
  return page
}

const formOf = (page: Page, label: string) => page.locator('.nrdb-ui-form', { hasText: label })

async function submit(page: Page, label: string, text: string): Promise<void> {
  await formOf(page, label).getByRole('textbox').fill(text)
  await formOf(page, label).getByRole('button', { name: 'Send' }).click()
}

describeRuntimes('dashboard', (create) => {
  let nodeRed: RunningNodeRedTcp
  let browser: Browser
  let page: Page
  const requests: string[] = []

  beforeAll(async () => {
    nodeRed = await create().withAdminPassword(PASSWORD).start()
    browser = await launchBrowser()
    page = await openDashboard(browser, nodeRed, (url) => requests.push(url))
  }, 180_000)
  afterAll(async () => {
    await browser?.close()
    await nodeRed?.[Symbol.asyncDispose]()
  })

  const scenario = (name: string) => page.getByRole('region', { name, exact: true })
  const rows = () => page.getByRole('table', { name: 'Listeners' }).locator('tbody tr')

  test('one login, and the page shows five scenarios, three charts and every listener', async () => {
    expect(await page.getByRole('region').count()).toBe(5)
    expect(await page.locator('.nrdb-ui-chart canvas').count()).toBe(3)
    await expect.poll(() => rows().count(), WAIT).toBe(3)
    for (const text of await rows().allInnerTexts()) expect(text).toContain('listening · 监听中')
    expect(requests.filter((url) => !url.startsWith(nodeRed.getEditorUrl()) && !url.startsWith('data:'))).toEqual([])
  })

  test('what a client sends appears, and the client is counted', async () => {
    await using client = await nodeRed.tcp(9501)
    await client.send('21.5 °C\n')
    const entry = scenario('TCP in · server').getByRole('listitem').first()
    await expect.poll(() => entry.innerText(), WAIT).toContain('21.5 °C\\n')
    expect(await entry.innerText()).toContain('32 31 2E 35 20 C2 B0 43 0A')
    const row = rows().filter({ hasText: 'listen on 9501' })
    await expect.poll(() => row.locator('td').nth(2).innerText(), WAIT).toBe('1')
  })

  test('markup, templates and escapes that come over TCP stay text', async () => {
    await using client = await nodeRed.tcp(9503)
    await client.send(HOSTILE)
    const text = scenario('TCP response').locator('code').first()
    await expect.poll(() => text.innerText(), WAIT).toBe(HOSTILE.replace('\u001b', '\\u001b').replace('\n', '\\n'))
    // A browser that has just come gets what is kept for it.
    await page.reload()
    await expect.poll(() => text.innerText(), WAIT).toContain('<img src=x')
    expect(await page.locator('.nrdb-ui-template img, .nrdb-ui-template b').count()).toBe(0)
    expect(await page.evaluate('window.hacked')).toBeUndefined()
  })

  test('a megabyte on one line is cut, and the page goes on', async () => {
    await using client = await nodeRed.tcp(9501)
    await client.send('x'.repeat(1_000_000))
    const text = scenario('TCP in · server').locator('code').first()
    await expect.poll(() => text.innerText(), WAIT).toBe(`${'x'.repeat(200)}…`)
    // What is sent before all of it has come in would be a part of its last piece.
    const received = async () => {
      const sessions = (await (await fetch(`${nodeRed.getStatusUrl()}/sessions`)).json()) as { bytesIn: number }[]
      return Math.max(...sessions.filter((session) => 'usedBy' in session).map(({ bytesIn }) => bytesIn))
    }
    await expect.poll(received, WAIT).toBe(1_000_000)
    await client.send('and on')
    await expect.poll(() => text.innerText(), WAIT).toContain('and on')
  })

  test('the forms send to clients that are connected, and the message appears on the page', async () => {
    await using listener = await nodeRed.tcp(9502)
    await using other = await nodeRed.tcp(9503)
    await formOf(page, '9502').getByRole('checkbox').check()
    await submit(page, '9502', 'from the page')
    await listener.expect('from the page\n')
    await submit(page, '9503', 'to everyone')
    await other.expect('to everyone')
    await expect.poll(() => scenario('TCP out · server').innerText(), WAIT).toContain('from the page\\n')
  })

  const notice = () => page.getByRole('status').first().innerText()

  test('a form says whether anybody was there to get it', async () => {
    await submit(page, '9502', 'heard by nobody')
    await expect.poll(notice, WAIT).toMatch(/^\d\d:\d\d:\d\d Not sent: nobody is connected to \d+ · 未发送/)
    await using one = await nodeRed.tcp(9502)
    await using two = await nodeRed.tcp(9502)
    await submit(page, '9502', 'heard by both')
    await one.expect('heard by both')
    await two.expect('heard by both')
    await expect.poll(notice, WAIT).toContain('Sent to 2 clients')
    await submit(page, '9602', 'nobody listens there')
    await expect.poll(notice, WAIT).toMatch(/Not sent: Node-RED is not connected to \d+/)
  })

  test('a listener that no tcp node has opened is not left without a word', async () => {
    const assistant = await page.context().newPage()
    await arrive(
      assistant,
      () => assistant.goto(`${nodeRed.getEditorUrl()}/assistant`),
      () => assistant.locator('[data-preset=tcp-out-client]').waitFor(),
    )
    await assistant.locator('[data-preset=tcp-out-client]').click()
    await assistant.locator('.tab.chosen .dot.open').waitFor()
    await expect.poll(() => rows().last().innerText(), WAIT).toContain('not a tcp node: the assistant, for example')
    await assistant.locator('.tab.chosen .close').click()
    await assistant.close()
    await expect.poll(() => rows().count(), WAIT).toBe(3)
  })

  test('the page has the whole width, and fits a phone', async () => {
    const leftOf = async () => (await scenario('TCP response').boundingBox())!.x
    await expect.poll(leftOf, WAIT).toBeLessThan(60)
    const size = page.viewportSize()!
    await page.setViewportSize({ width: 390, height: 844 })
    const state = rows().first().getByText('listening · 监听中')
    // One line: the words are not broken into pieces.
    await expect.poll(async () => (await state.boundingBox())!.height, WAIT).toBeLessThan(30)
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(390)
    await page.setViewportSize(size)
  })

  test('a form whose tab is gone says so', async () => {
    const admin = await nodeRed.admin
    const flows = await admin.flows()
    await admin.deploy(flows.filter(({ id }) => id !== '5c030000000000d2'))
    await arrive(
      page,
      () => page.reload(),
      () => formOf(page, '9502').waitFor(),
    )
    await submit(page, '9502', 'nobody there')
    await expect.poll(notice, WAIT).toContain('Not sent: the tab with “dashboard: send to 9502”')
    await admin.deploy(flows)
  })

  test('without a login there is no page, no data and no socket', async () => {
    const url = nodeRed.getEditorUrl()
    for (const path of ['/dashboard', '/dashboard/tcp', '/dashboard/_setup', '/dashboard/_debug/datastore/5c0600000000000d']) {
      expect.soft((await fetch(`${url}${path}`, { redirect: 'manual' })).status, path).toBe(401)
    }
    const polling = await fetch(`${url}/dashboard/socket.io/?EIO=4&transport=polling`)
    expect([polling.status, await polling.text()]).toEqual([401, expect.not.stringContaining('sid')])
    const socket = new WebSocket(`${url.replace('http', 'ws')}/dashboard/socket.io/?EIO=4&transport=websocket`)
    expect(await Promise.race([once(socket, 'open').then(() => 'open'), once(socket, 'error').then(() => 'refused')])).toBe('refused')
  })

  test('the editor keeps the tab as it is in the file', async () => {
    const loaded = 'window.RED && RED.nodes.getType("ui-chart") && RED.nodes.workspace("5c06000000000000")'
    await arrive(
      page,
      () => page.goto(nodeRed.getEditorUrl()),
      () => page.waitForFunction(loaded, undefined, { timeout: 90_000, polling: POLL_MS }),
    )
    const kept = await page.evaluate<{ id: string; z?: string }[]>('RED.nodes.createCompleteNodeSet({ credentials: false })')
    const sort = (nodes: { id: string }[]) => nodes.toSorted((a, b) => (a.id < b.id ? -1 : 1))
    expect(sort(kept)).toEqual(sort(await (await nodeRed.admin).flows()))
    expect(await page.evaluate('RED.nodes.dirty()')).toBe(false)
  })
})

describeRuntimes('dashboard, where Node-RED dials', (create) => {
  test('9601 shows what the device says, and the form for 9602 sends to the device', async () => {
    await using sensor = await TcpPeer.listen()
    await using display = await TcpPeer.listen()
    await using nodeRed = await create()
      .withAdminPassword(PASSWORD)
      .withEnvironment({ TCP_IN_CLIENT_PORT: String(sensor.port), TCP_OUT_CLIENT_PORT: String(display.port) })
      .start()
    const browser = await launchBrowser()
    try {
      const page = await openDashboard(browser, nodeRed)
      await (await sensor.accept()).send('device speaking')
      await expect.poll(() => page.getByRole('region', { name: 'TCP in · client' }).innerText(), WAIT).toContain('device speaking')
      const devices = [await display.accept(), await display.accept()]
      await submit(page, '9602', 'go')
      await expect.poll(() => devices.map(({ available }) => available).toSorted(), WAIT).toEqual([0, 2])
    } finally {
      await browser.close()
    }
  }, 120_000)
})
