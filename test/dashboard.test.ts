import { once } from 'node:events'
import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { arrive, launchBrowser, logIn, POLL_MS } from './support/browser.ts'
import { describeRuntimes, type RunningNodeRedTcp } from './support/runtimes.ts'
import { TcpPeer } from '../src/testing/tcp-peer.ts'

const PASSWORD = 'dashboard password'
const HOSTILE = '<img src=x onerror="window.hacked=true"><b>bold</b> {{ constructor.constructor("window.hacked=true")() }} \u001b[31m\n'
const WAIT = { timeout: 10_000 }

type Look = BrowserContextOptions & { heard?: (url: string) => void }

async function openDashboard(browser: Browser, nodeRed: RunningNodeRedTcp, { heard, ...look }: Look = {}): Promise<Page> {
  const page = await (await browser.newContext({ locale: 'en-US', viewport: { width: 1400, height: 1100 }, ...look })).newPage()
  if (heard) page.on('request', (request) => heard(request.url()))
  const url = `${nodeRed.getEditorUrl()}/dashboard`
  await logIn(page, { url, password: PASSWORD }, () => page.getByRole('region', { name: 'TCP response' }).waitFor())
  return page
}

const formOf = (page: Page, name: string) => page.getByRole('form', { name, exact: true })

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
    page = await openDashboard(browser, nodeRed, { heard: (url) => requests.push(url) })
  }, 180_000)
  afterAll(async () => {
    await browser?.close()
    await nodeRed?.[Symbol.asyncDispose]()
  })

  const scenario = (name: string) => page.getByRole('region', { name, exact: true })
  const rows = () => page.getByRole('table', { name: 'Listeners' }).locator('tbody tr')

  test('one login, and the page shows five scenarios, three charts and every listener', async () => {
    await expect.poll(() => page.getByRole('region').count(), WAIT).toBe(5)
    await expect.poll(() => page.locator('.nrdb-ui-chart canvas').count(), WAIT).toBe(3)
    await expect
      .poll(() => rows().allInnerTexts(), WAIT)
      .toEqual(Array.from({ length: 3 }, () => expect.stringContaining('listening') as unknown))
    expect(requests.filter((url) => !url.startsWith(nodeRed.getEditorUrl()) && !url.startsWith('data:'))).toEqual([])
  })

  test('what a client sends appears, and the client is counted', async () => {
    await using client = await nodeRed.tcp(9501)
    await client.send('21.5 °C\n')
    const entry = scenario('TCP in · server').getByRole('listitem').first()
    await expect.poll(() => entry.innerText(), WAIT).toContain('21.5 °C\\n')
    expect(await entry.innerText()).toContain('32 31 2E 35 20 C2 B0 43 0A')
    const row = rows().filter({ hasText: 'TCP in · server' })
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
    await formOf(page, 'TCP out · server').getByRole('checkbox').check()
    await submit(page, 'TCP out · server', 'from the page')
    await listener.expect('from the page\n')
    await submit(page, 'TCP response', 'to everyone')
    await other.expect('to everyone')
    await expect.poll(() => scenario('TCP out · server').innerText(), WAIT).toContain('from the page\\n')
  })

  const notice = () => page.getByRole('status').first().innerText()

  test('a form says whether anybody was there to get it', async () => {
    await submit(page, 'TCP out · server', 'heard by nobody')
    await expect.poll(notice, WAIT).toMatch(/^\d\d:\d\d:\d\d Not sent: nobody is connected to \d+$/)
    await using one = await nodeRed.tcp(9502)
    await using two = await nodeRed.tcp(9502)
    await submit(page, 'TCP out · server', 'heard by both')
    await one.expect('heard by both')
    await two.expect('heard by both')
    await expect.poll(notice, WAIT).toContain('Sent to 2 clients')
    await submit(page, 'TCP out · client', 'nobody listens there')
    await expect.poll(notice, WAIT).toMatch(/Not sent: Node-RED is not connected to \d+/)
  })

  const outcomes = (name: string) => scenario(name).getByRole('listitem').first().innerText()

  test('the list says what became of a message: sent, or to nobody', async () => {
    const admin = await nodeRed.admin
    await expect.poll(async () => (await rows().allInnerTexts()).every((row) => /\t0\t0\t/.test(row)), WAIT).toBe(true)
    await admin.inject('send text', { flow: 'TCP out · server' })
    await expect.poll(() => outcomes('TCP out · server'), WAIT).toContain('not sent: nobody was connected')
    await submit(page, 'TCP response', 'to an empty room')
    await expect.poll(() => outcomes('TCP response'), WAIT).toMatch(/not sent: nobody was connected\s+to an empty room/)
    await submit(page, 'TCP out · client', 'nobody listens there')
    await expect.poll(() => outcomes('TCP out · client'), WAIT).toMatch(/not sent\s+nobody listens there/)
    await using one = await nodeRed.tcp(9502)
    await using other = await nodeRed.tcp(9503)
    await submit(page, 'TCP out · server', 'to one')
    await one.expect('to one')
    await expect.poll(() => outcomes('TCP out · server'), WAIT).toMatch(/\bsent\s+to one/)
    expect(await outcomes('TCP out · server')).not.toContain('not sent')
    await submit(page, 'TCP response', 'to all')
    await other.expect('to all')
    await expect.poll(() => outcomes('TCP response'), WAIT).toMatch(/\d B\s+sent\s+to all/)
    await other.send('from one')
    await expect.poll(() => outcomes('TCP response'), WAIT).toMatch(/received\s+from one/)
  })

  test('texts, times and colours are those of the browser', async () => {
    // The dashboard's own menu takes one text for everybody.
    const text = async (of: Page) => (await of.locator('main').innerText()).replace('Editor · 编辑器', '')
    const colour = (of: Page) =>
      of.evaluate<string>("getComputedStyle(document.querySelector('.tcp-messages').closest('.v-card')).backgroundColor")
    await using device = await nodeRed.tcp(9501)
    await device.send('what time is it?')
    await expect.poll(() => outcomes('TCP in · server'), WAIT).toContain('what time is it?')
    const chinese = await openDashboard(browser, nodeRed, { locale: 'zh-CN', timezoneId: 'Asia/Kathmandu', colorScheme: 'dark' })
    try {
      await expect.poll(() => text(chinese), WAIT).toMatch(/最新消息[^]*收到[^]*连接数[^]*监听中/)
      expect(await text(chinese)).not.toMatch(/Latest|Connections|Listeners|Send\b/)
      expect(await text(page)).not.toMatch(/[\u4e00-\u9fff]/)
      const timeOf = async (of: Page) => {
        const entry = of.getByRole('region', { name: 'TCP in · server' }).getByRole('listitem').first()
        const [, hours, minutes] = /^(\d\d):(\d\d):/.exec(await entry.innerText())!
        return Number(hours) * 60 + Number(minutes)
      }
      const here = -new Date().getTimezoneOffset()
      expect(((await timeOf(chinese)) - (await timeOf(page)) + here + 1440) % 1440).toBe(5 * 60 + 45)
      await expect.poll(() => colour(chinese), WAIT).toBe('rgb(29, 33, 38)')
      expect(await colour(page)).toBe('rgb(255, 255, 255)')
      await chinese.emulateMedia({ colorScheme: 'light' })
      await expect.poll(() => colour(chinese), WAIT).toBe('rgb(255, 255, 255)')
    } finally {
      await chinese.context().close()
    }
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
    const state = rows().first().getByText('listening')
    // One line: the words are not broken into pieces.
    await expect.poll(async () => (await state.boundingBox())!.height, WAIT).toBeLessThan(30)
    await expect.poll(() => page.evaluate('document.documentElement.scrollWidth'), WAIT).toBe(390)
    await page.setViewportSize(size)
  })

  test('a form whose tab is gone says so', async () => {
    const admin = await nodeRed.admin
    const flows = await admin.flows()
    await admin.deploy(flows.filter(({ id }) => id !== '5c030000000000d2'))
    await arrive(
      page,
      () => page.reload(),
      () => formOf(page, 'TCP out · server').waitFor(),
    )
    await submit(page, 'TCP out · server', 'nobody there')
    await expect.poll(notice, WAIT).toMatch(/Not sent: the tab with “dashboard: send to \d+” is missing/)
    await admin.deploy(flows)
  })

  test('an own ui-base takes the page over as soon as it is deployed, and gives it back', async () => {
    const admin = await nodeRed.admin
    const flows = await admin.flows()
    const common = { showTitle: true, className: '', visible: 'true', disabled: 'false', order: 1 }
    await admin.deploy([
      ...flows,
      { id: 'own-base', type: 'ui-base', name: 'Mine', path: '/dashboard', appIcon: '', includeClientData: true },
      {
        id: 'own-theme',
        type: 'ui-theme',
        name: 'Mine',
        colors: { surface: '#ffffff', primary: '#0094ce', bgPage: '#eeeeee', groupBg: '#ffffff', groupOutline: '#cccccc' },
        sizes: {},
      },
      { ...common, id: 'own-page', type: 'ui-page', name: 'Line 7', ui: 'own-base', path: '/line7', layout: 'grid', theme: 'own-theme' },
      { ...common, id: 'own-group', type: 'ui-group', name: 'Own group', page: 'own-page', width: '6', height: '1' },
      { id: 'own-tab', type: 'tab', label: 'Mine' },
      {
        id: 'own-button',
        type: 'ui-button',
        z: 'own-tab',
        group: 'own-group',
        name: '',
        label: 'Own button',
        order: 1,
        width: 0,
        height: 0,
        wires: [[]],
      },
    ])
    for (const _ of [1, 2, 3]) {
      await arrive(
        page,
        () => page.goto(`${nodeRed.getEditorUrl()}/dashboard`),
        () => page.getByText('Own group').waitFor({ timeout: 10_000 }),
      )
      // Whichever ui-base is heard last.
      expect(await page.locator('body').innerText()).not.toContain('multiple ui-base')
    }
    await admin.deploy(flows)
    await arrive(
      page,
      () => page.goto(`${nodeRed.getEditorUrl()}/dashboard`),
      () => formOf(page, 'TCP out · server').waitFor(),
    )
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
      await submit(page, 'TCP out · client', 'go')
      await expect.poll(() => devices.map(({ available }) => available).toSorted(), WAIT).toEqual([0, 2])
    } finally {
      await browser.close()
    }
  }, 120_000)
})
