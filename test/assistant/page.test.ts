import type { Browser, BrowserContext, Page } from 'playwright-core'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { launchBrowser } from '../support/browser.ts'
import type { DebugStream } from '../support/debug-stream.ts'
import { EmbeddedNodeRedTcp, type StartedEmbeddedNodeRedTcp } from '../support/embedded-node-red-tcp.ts'
import { freePort } from '../support/free-port.ts'
import { TcpPeer } from '../support/tcp-peer.ts'

const PASSWORD = 'assistant password'

// Not among those that the kernel gives to outgoing connections: dialling one of these again and again ends up connected to itself.
async function quietPort(): Promise<number> {
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

describe('the page of the assistant', { timeout: 120_000 }, () => {
  let nodeRed: StartedEmbeddedNodeRedTcp
  let browser: Browser
  let page: Page
  const ports = { in: 0, out: 0 }

  beforeAll(async () => {
    ports.in = await quietPort()
    ports.out = await quietPort()
    nodeRed = await new EmbeddedNodeRedTcp()
      .withAdminPassword(PASSWORD)
      .withEnvironment({ TCP_IN_CLIENT_PORT: String(ports.in), TCP_OUT_CLIENT_PORT: String(ports.out) })
      .withCommand(['-D', 'socketReconnectTime=300'])
      .start()
    browser = await launchBrowser()
  })
  afterAll(async () => {
    await browser?.close()
    await nodeRed?.[Symbol.asyncDispose]()
  })
  beforeEach(() => async () => {
    await removeAll()
    await page?.context().close()
  })

  async function open(locale = 'en-US', path = '/assistant'): Promise<Page> {
    const context: BrowserContext = await browser.newContext({ locale, viewport: { width: 1280, height: 800 }, acceptDownloads: true })
    page = await context.newPage()
    await page.goto(`${nodeRed.getEditorUrl()}${path}`)
    await page.fill('[name=username]', 'admin')
    await page.fill('[name=password]', PASSWORD)
    await page.click('button')
    await page.locator('.welcome, .log').first().waitFor()
    return page
  }

  async function removeAll(): Promise<void> {
    while ((await page.locator('.tabs .close').count()) > 0) {
      const count = await page.locator('.tabs .close').count()
      await page.locator('.tabs .close').first().click()
      await expect.poll(() => page.locator('.tabs .close').count()).toBeLessThan(count)
    }
  }

  const entries = (dir: 'rx' | 'tx' | 'note') => page.locator(`.log .entry.${dir}`)
  const textOf = (dir: 'rx' | 'tx') => entries(dir).last().locator('.text')
  const preset = (name: string) => page.locator(`[data-preset=${name}]`).click()
  const isOpen = () => page.locator('.tab.chosen .dot.open').waitFor()
  async function send(text: string): Promise<void> {
    await page.fill('[name=payload]', text)
    await page.locator('[name=send]').click()
    await textOf('tx').waitFor()
  }
  async function listen(): Promise<TcpPeer> {
    const peer = await TcpPeer.listen()
    await page.fill('[name=host]', '127.0.0.1')
    await page.fill('[name=port]', String(peer.port))
    await page.locator('form button.open').click()
    await isOpen()
    return peer
  }
  const debugOf = async (debug: DebugStream, name: string) => (await debug.next((message) => message.name === name)).msg

  describe.each([
    ['en-US', { send: 'Send', title: 'Network debug assistant' }],
    ['zh-CN', { send: '发送', title: '网络调试助手' }],
  ])('%s', (locale, words) => {
    test('TCP response: what is sent comes back', async () => {
      await open(locale)
      expect(await page.title()).toBe(words.title)
      await preset('tcp-response')
      await isOpen()
      await page.fill('[name=payload]', '你好 ☃')
      await page.getByRole('button', { name: words.send, exact: true }).click()
      await expect.poll(() => textOf('rx').innerText()).toBe('你好 ☃')
      expect(await entries('rx').last().locator('.hex').innerText()).toBe('E4 BD A0 E5 A5 BD 20 E2 98 83')
      expect(await page.locator('[data-counter=rx]').innerText()).toContain('10')
      // Nothing is shown by its key.
      expect(await page.locator('.app').innerText()).not.toMatch(/\b(network|receive|send|log|status|views|tools|preset)\.[a-z]/)
    })

    test('TCP in, client: Node-RED connects and gets what is sent to its peer', async () => {
      await open(locale)
      await using debug = await (await nodeRed.admin).debug()
      await preset('tcp-in-client')
      await isOpen()
      await expect.poll(() => page.locator('[name=peer] option').count(), { timeout: 20_000 }).toBe(2)
      await page.locator('[name=peer]').selectOption({ index: 1 })
      await send('to 9601')
      expect(await debugOf(debug, 'received as text')).toBe('to 9601')
    })
  })

  test('TCP in, server: the flow gets what is sent', async () => {
    await open()
    await using debug = await (await nodeRed.admin).debug()
    await preset('tcp-in-server')
    await isOpen()
    await send('to 9501')
    expect(await debugOf(debug, 'received as text')).toBe('to 9501')
  })

  test('TCP out, server and client: what flows send appears', async () => {
    await open()
    await preset('tcp-out-server')
    await isOpen()
    await (await nodeRed.admin).inject('send text', { flow: 'TCP out · server' })
    await entries('rx').first().waitFor()
    await page.getByRole('tab', { name: /New/ }).click()
    await preset('tcp-out-client')
    await isOpen()
    await entries('note').filter({ hasText: 'is connected' }).first().waitFor({ timeout: 20_000 })
    await (await nodeRed.admin).inject('send text', { flow: 'TCP out · client' })
    await entries('rx').first().waitFor()
  })

  test('a reload keeps the endpoint, its log, and what was being typed', async () => {
    await open()
    await preset('tcp-response')
    await isOpen()
    await send('before the reload')
    await entries('rx').first().waitFor()
    await page.fill('[name=payload]', 'half a sent')
    await page.reload()
    await expect.poll(() => textOf('rx').innerText()).toBe('before the reload')
    expect(await page.inputValue('[name=payload]')).toBe('half a sent')
    await send('after it')
    await expect.poll(() => textOf('rx').innerText()).toBe('after it')
  })

  test('two browsers see the same endpoint', async () => {
    await open()
    await preset('tcp-response')
    await isOpen()
    const first = page
    const second = await open()
    await second.locator('.tab').first().locator('[role=tab]').click()
    await first.fill('[name=payload]', 'seen by both')
    await first.locator('[name=send]').click()
    await second.locator('.entry.rx', { hasText: 'seen by both' }).waitFor()
    await first.context().close()
  })

  test('received bytes are text, whatever they look like', async () => {
    await open()
    await using peer = await listen()
    const device = await peer.accept()
    await device.send('<img src=x onerror="document.title=\'owned\'"><script>document.title="owned"</script>')
    await entries('rx').filter({ hasText: '<img src=x' }).waitFor()
    await device.send('\x1b[31mred\x1b[2J\u202Egnp.exe\0')
    await expect.poll(() => textOf('rx').innerText()).toBe('␛[31mred␛[2J⟨202E⟩gnp.exe␀')
    expect(await page.locator('.log img, .log script').count()).toBe(0)
    expect(await page.title()).toBe('Network debug assistant')
  })

  test('a line of a mebibyte comes in and the page stays quick', async () => {
    await open()
    await using peer = await listen()
    const device = await peer.accept()
    await device.send('A'.repeat(1024 * 1024))
    await expect.poll(() => page.locator('[data-counter=rx]').innerText(), { timeout: 20_000 }).toContain('1,048,576')
    await entries('rx').first().locator('.more').waitFor()
    const started = Date.now()
    await send('still there')
    expect(Date.now() - started).toBeLessThan(5_000)
    await device.expect('still there')
  })

  test('wrong HEX is told while it is typed, with its place, and not sent', async () => {
    await open()
    await using peer = await listen()
    const device = await peer.accept()
    await page.locator('.settings .segments label', { hasText: 'HEX' }).last().click()
    await page.fill('[name=payload]', '01 03 0G')
    await page.locator('.mistake', { hasText: 'position 8' }).waitFor()
    expect(await page.locator('[name=send]').isDisabled()).toBe(true)
    await page.fill('[name=payload]', '01 03 00 00 00 0A')
    await page.locator('[name=checksum]').selectOption('crc16-modbus')
    await page.locator('[name=send]').click()
    await device.expect(Buffer.from('01030000000AC5CD', 'hex'))
  })

  test('text goes out in GBK, with escapes and a line ending', async () => {
    await open()
    await using peer = await listen()
    const device = await peer.accept()
    await page.locator('[name=send-encoding]').selectOption('gbk')
    await page.locator('[name=ending]').selectOption({ label: 'CR LF (\\r\\n)' })
    await page.check('[name=escapes]')
    await send('中文\\x02')
    await device.expect(Buffer.from('D6D0CEC4020D0A', 'hex'))
  })

  test('a connection that is refused says what to do', async () => {
    await open('zh-CN')
    const port = await freePort()
    await page.fill('[name=host]', '127.0.0.1')
    await page.fill('[name=port]', String(port))
    await page.locator('form button.open').click()
    await page.locator('[role=alert]', { hasText: `127.0.0.1:${port} 拒绝连接` }).waitFor()
  })

  test('search filters by text, regular expression and HEX', async () => {
    await open()
    await using peer = await listen()
    const device = await peer.accept()
    for (const text of ['temp=21', 'temp=22', 'humidity=60']) {
      await device.send(text)
      await entries('rx').filter({ hasText: text }).waitFor()
    }
    const by = page.getByLabel('Search by')
    await page.fill('[name=search]', 'temp')
    await expect.poll(() => entries('rx').count()).toBe(2)
    await by.selectOption('regex')
    await page.fill('[name=search]', '=6\\d$')
    await expect.poll(() => entries('rx').count()).toBe(1)
    await by.selectOption('hex')
    await page.fill('[name=search]', '3D 32 ??')
    await expect.poll(() => entries('rx').count()).toBe(2)
    await page.fill('[name=search]', '3')
    await page.locator('.toolbar .bad').waitFor()
  })

  test('the view of Node-RED shows the messages of a delimiter beside the chunks', async () => {
    await open()
    await using peer = await listen()
    const device = await peer.accept()
    await device.send('one\ntwo\nthr')
    await entries('rx').first().waitFor()
    await device.send('ee\n')
    await expect.poll(() => entries('rx').count()).toBe(2)
    await page.locator('[data-view=node-red]').click()
    await page.locator('[name=newline]').fill('\\n')
    await expect.poll(() => page.locator('.message > div:last-child .bytes').allInnerTexts()).toEqual(['"one"', '"two"', '"three"'])
  })

  test('frames are cut again without recording again, with a verdict on their checksum', async () => {
    await open()
    await using peer = await listen()
    const device = await peer.accept()
    await device.send(Buffer.from('01030000000AC5CD01030000000AC5CE', 'hex'))
    await entries('rx').first().waitFor()
    await page.locator('[data-view=framing]').click()
    await page.locator('[name=framing]').selectOption('fixed')
    await page.locator('[name=verify]').selectOption('crc16-modbus')
    await page.locator('.frame .flag.good').waitFor()
    await expect.poll(() => page.locator('.frame .flag.bad').innerText()).toContain('C5 CD')
  })

  test('an automatic reply answers with what a regular expression captured', async () => {
    await open()
    await using peer = await listen()
    const device = await peer.accept()
    await page.getByRole('button', { name: 'Auto-reply' }).click()
    const dialog = page.locator('dialog')
    await dialog.getByRole('button', { name: 'Add a rule' }).click()
    await dialog.getByLabel('When it').selectOption('regex')
    await dialog.locator('[name=pattern]').fill('ping (\\d+)')
    await dialog.locator('[name=reply]').fill('pong $1')
    await dialog.getByRole('button', { name: 'Save' }).click()
    await dialog.waitFor({ state: 'detached' })
    await device.send('ping 42')
    await device.expect('pong 42')
  })

  test('the log is exported as pcapng', async () => {
    await open()
    await preset('tcp-response')
    await isOpen()
    await send('for Wireshark')
    await entries('rx').first().waitFor()
    const download = page.waitForEvent('download')
    await page.locator('[name=export]').selectOption('pcapng')
    expect((await download).suggestedFilename()).toMatch(/\.pcapng$/)
  })

  test('a link fills in the form and dials nothing', async () => {
    await open('en-US', '/assistant?connect=127.0.0.1:9503')
    await expect.poll(() => page.inputValue('[name=port]')).toBe('9503')
    expect(await page.locator('.tab').count()).toBe(0)
  })

  test('the page and all it loads come from this server, and are small', async () => {
    const context = await browser.newContext({ locale: 'en-US' })
    page = await context.newPage()
    const foreign: string[] = []
    let bytes = 0
    page.on('request', (request) => {
      const { origin, protocol } = new URL(request.url())
      if (protocol.startsWith('http') && origin !== new URL(nodeRed.getEditorUrl()).origin) foreign.push(request.url())
    })
    page.on('requestfinished', (request) => {
      void request.sizes().then(({ responseBodySize }) => (bytes += responseBodySize))
    })
    await page.goto(`${nodeRed.getEditorUrl()}/assistant`)
    await page.fill('[name=username]', 'admin')
    await page.fill('[name=password]', PASSWORD)
    await page.click('button')
    await preset('tcp-response')
    for (const view of ['framing', 'node-red', 'latency', 'rate']) await page.locator(`[data-view=${view}]`).click()
    await page.locator('.uplot').waitFor()
    expect(foreign).toEqual([])
    expect(bytes).toBeGreaterThan(50_000)
    expect(bytes).toBeLessThan(300_000)
  })

  test('without a login there is the sign-in page and nothing else', async () => {
    await open()
    for (const path of ['/assistant', '/assistant/', '/assistant/assets/index.js']) {
      const answer = await fetch(`${nodeRed.getEditorUrl()}${path}`, { redirect: 'manual' })
      expect(answer.status).toBe(401)
    }
  })
})
