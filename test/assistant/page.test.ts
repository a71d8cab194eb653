import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { DebugStream } from '../../src/testing/debug-stream.ts'
import { freePort } from '../../src/testing/free-port.ts'
import { AssistantPage } from './support/page.ts'

describe('the page of the assistant', { timeout: 120_000 }, () => {
  let on: AssistantPage

  beforeAll(async () => {
    on = await AssistantPage.start()
  })
  afterAll(async () => await on?.[Symbol.asyncDispose]())
  beforeEach(() => async () => await on.leave())

  const debugOf = async (debug: DebugStream, name: string) => (await debug.next((message) => message.name === name)).msg

  describe.each([
    ['en-US', { send: 'Send', title: 'Network debug assistant' }],
    ['zh-CN', { send: '发送', title: '网络调试助手' }],
  ])('%s', (locale, words) => {
    test('TCP response: what is sent comes back', async () => {
      const page = await on.open({ locale })
      expect(await page.title()).toBe(words.title)
      await on.preset('tcp-response')
      await on.isOpen()
      // What the counter says at the very moment at which the row is there.
      await page.evaluate(`new MutationObserver((_, observer) => {
        if (!document.querySelector('.entry.rx')) return
        window.counted = document.querySelector('[data-counter=rx]').innerText
        observer.disconnect()
      }).observe(document.body, { childList: true, subtree: true })`)
      await page.fill('[name=payload]', '你好 ☃')
      await page.getByRole('button', { name: words.send, exact: true }).click()
      await expect.poll(() => on.textOf('rx').innerText()).toBe('你好 ☃')
      expect(await on.entries('rx').last().locator('.hex').innerText()).toBe('E4 BD A0 E5 A5 BD 20 E2 98 83')
      expect(await page.evaluate('window.counted')).toContain('10')
      expect(await page.locator('[data-counter=rx]').innerText()).toContain('10')
      // Nothing is shown by its key.
      expect(await page.locator('.app').innerText()).not.toMatch(/\b(network|receive|send|log|status|views|tools|preset)\.[a-z]/)
    })

    test('TCP in, client: Node-RED connects and gets what is sent to its peer', async () => {
      const page = await on.open({ locale })
      await using debug = await (await on.nodeRed.admin).debug()
      await on.preset('tcp-in-client')
      await on.isOpen()
      await expect.poll(() => page.locator('[name=peer] option').count(), { timeout: 20_000 }).toBe(2)
      await page.locator('[name=peer]').selectOption({ index: 1 })
      await on.send('to 9601')
      expect(await debugOf(debug, 'received as text')).toBe('to 9601')
    })
  })

  test('TCP in, server: the flow gets what is sent', async () => {
    await on.open()
    await using debug = await (await on.nodeRed.admin).debug()
    await on.preset('tcp-in-server')
    await on.isOpen()
    await on.send('to 9501')
    expect(await debugOf(debug, 'received as text')).toBe('to 9501')
  })

  test('TCP out, server and client: what flows send appears', async () => {
    const page = await on.open()
    await on.preset('tcp-out-server')
    await on.isOpen()
    await (await on.nodeRed.admin).inject('send text', { flow: 'TCP out · server' })
    await on.entries('rx').first().waitFor()
    await page.getByRole('tab', { name: /New/ }).click()
    await on.preset('tcp-out-client')
    await on.isOpen()
    await on.entries('note').filter({ hasText: 'is connected' }).first().waitFor({ timeout: 20_000 })
    await (await on.nodeRed.admin).inject('send text', { flow: 'TCP out · client' })
    await on.entries('rx').first().waitFor()
  })

  test('a reload keeps the endpoint, its log, and what was being typed', async () => {
    const page = await on.open()
    await on.preset('tcp-response')
    await on.isOpen()
    await on.send('before the reload')
    await on.entries('rx').first().waitFor()
    await page.fill('[name=payload]', 'half a sent')
    await page.reload()
    await expect.poll(() => on.textOf('rx').innerText()).toBe('before the reload')
    expect(await page.inputValue('[name=payload]')).toBe('half a sent')
    await on.send('after it')
    await expect.poll(() => on.textOf('rx').innerText()).toBe('after it')
  })

  test('two browsers see the same endpoint', async () => {
    const page = await on.open()
    await on.preset('tcp-response')
    await on.isOpen()
    const first = page
    const second = await on.open()
    await second.locator('.tab').first().locator('[role=tab]').click()
    await first.fill('[name=payload]', 'seen by both')
    await first.locator('[name=send]').click()
    await second.locator('.entry.rx', { hasText: 'seen by both' }).waitFor()
    await first.context().close()
  })

  test('received bytes are text, whatever they look like', async () => {
    const page = await on.open()
    await using there = await on.device()
    const { device } = there
    await device.send('<img src=x onerror="document.title=\'owned\'"><script>document.title="owned"</script>')
    await on.entries('rx').filter({ hasText: '<img src=x' }).waitFor()
    await device.send('\x1b[31mred\x1b[2J\u202Egnp.exe\0')
    await expect.poll(() => on.textOf('rx').innerText()).toBe('␛[31mred␛[2J⟨202E⟩gnp.exe␀')
    expect(await page.locator('.log img, .log script').count()).toBe(0)
    expect(await page.title()).toBe('Network debug assistant')
  })

  test('a line of a mebibyte comes in and the page stays quick', async () => {
    const page = await on.open()
    await using there = await on.device()
    const { device } = there
    await device.send('A'.repeat(1024 * 1024))
    await expect.poll(() => page.locator('[data-counter=rx]').innerText(), { timeout: 20_000 }).toContain('1,048,576')
    await on.entries('rx').first().locator('.more').waitFor()
    const started = Date.now()
    await on.send('still there')
    expect(Date.now() - started).toBeLessThan(5_000)
    await device.expect('still there')
  })

  test('wrong HEX is told while it is typed, with its place, and not sent', async () => {
    const page = await on.open()
    await using there = await on.device()
    const { device } = there
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
    const page = await on.open()
    await using there = await on.device()
    const { device } = there
    await page.locator('[name=send-encoding]').selectOption('gbk')
    await page.locator('[name=ending]').selectOption({ label: 'CR LF (\\r\\n)' })
    await page.check('[name=escapes]')
    await on.send('中文\\x02')
    await device.expect(Buffer.from('D6D0CEC4020D0A', 'hex'))
  })

  test('a connection that is refused says what to do', async () => {
    const page = await on.open({ locale: 'zh-CN' })
    const port = await freePort()
    await page.fill('[name=host]', '127.0.0.1')
    await page.fill('[name=port]', String(port))
    await page.locator('form button.open').click()
    await page.locator('[role=alert]', { hasText: `127.0.0.1:${port} 拒绝连接` }).waitFor()
  })

  test('search filters by text, regular expression and HEX', async () => {
    const page = await on.open()
    await using there = await on.device()
    const { device } = there
    for (const text of ['temp=21', 'temp=22', 'humidity=60']) {
      await device.send(text)
      await on.entries('rx').filter({ hasText: text }).waitFor()
    }
    const by = page.getByLabel('Search by')
    await page.fill('[name=search]', 'temp')
    await expect.poll(() => on.entries('rx').count()).toBe(2)
    await by.selectOption('regex')
    await page.fill('[name=search]', '=6\\d$')
    await expect.poll(() => on.entries('rx').count()).toBe(1)
    await by.selectOption('hex')
    await page.fill('[name=search]', '3D 32 ??')
    await expect.poll(() => on.entries('rx').count()).toBe(2)
    await page.fill('[name=search]', '3')
    await page.locator('.toolbar .bad').waitFor()
  })

  test('the view of Node-RED shows the messages of a delimiter beside the chunks', async () => {
    const page = await on.open()
    await using there = await on.device()
    const { device } = there
    await device.send('one\ntwo\nthr')
    await on.entries('rx').first().waitFor()
    await device.send('ee\n')
    await expect.poll(() => on.entries('rx').count()).toBe(2)
    await page.locator('[data-view=node-red]').click()
    await page.locator('[name=newline]').fill('\\n')
    await expect.poll(() => page.locator('.message > div:last-child .bytes').allInnerTexts()).toEqual(['"one"', '"two"', '"three"'])
  })

  test('frames are cut again without recording again, with a verdict on their checksum', async () => {
    const page = await on.open()
    await using there = await on.device()
    const { device } = there
    await device.send(Buffer.from('01030000000AC5CD01030000000AC5CE', 'hex'))
    await on.entries('rx').first().waitFor()
    await page.locator('[data-view=framing]').click()
    await page.locator('[name=framing]').selectOption('fixed')
    await page.locator('[name=verify]').selectOption('crc16-modbus')
    await page.locator('.frame .flag.good').waitFor()
    await expect.poll(() => page.locator('.frame .flag.bad').innerText()).toContain('C5 CD')
  })

  test('an automatic reply answers with what a regular expression captured', async () => {
    const page = await on.open()
    await using there = await on.device()
    const { device } = there
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
    const page = await on.open()
    await on.preset('tcp-response')
    await on.isOpen()
    await on.send('for Wireshark')
    await on.entries('rx').first().waitFor()
    const download = page.waitForEvent('download')
    await page.locator('[name=export]').selectOption('pcapng')
    expect((await download).suggestedFilename()).toMatch(/\.pcapng$/)
  })

  test('the form starts with the ports of the scenarios, wherever they have moved, and keeps what was typed', async () => {
    const page = await on.open()
    const portOf = async (preset: string) => /\d+/.exec(await page.locator(`[data-preset=${preset}]`).innerText())![0]
    const fields = async () => [await page.inputValue('[name=port]'), await page.inputValue('[name=localPort]')]
    await page.locator('[name=kind]').selectOption('tap')
    const ports = [await portOf('tcp-in-server'), await portOf('tcp-in-client')]
    await expect.poll(fields).toEqual(ports)
    // A browser that was here before the ports were moved.
    await page.evaluate(`window.addEventListener('pagehide', () => {
      localStorage.setItem('assistant.network', JSON.stringify({ kind: 'tap', port: '9501', localPort: '9601' }))
      localStorage.removeItem('assistant.suggested')
    })`)
    await page.reload()
    await expect.poll(fields).toEqual(ports)
    await page.fill('[name=port]', '4001')
    await page.reload()
    await expect.poll(fields).toEqual(['4001', ports[1]])
  })

  test('a link fills in the form and dials nothing', async () => {
    const page = await on.open({ path: '/assistant?connect=127.0.0.1:9503' })
    await expect.poll(() => page.inputValue('[name=port]')).toBe('9503')
    expect(await page.locator('.tab').count()).toBe(0)
  })

  test('the page and all it loads come from this server, and are small', async () => {
    const context = await on.browser.newContext({ locale: 'en-US' })
    const page = (on.page = await context.newPage())
    const foreign: string[] = []
    let bytes = 0
    page.on('request', (request) => {
      const { origin, protocol } = new URL(request.url())
      if (protocol.startsWith('http') && origin !== new URL(on.url).origin) foreign.push(request.url())
    })
    page.on('requestfinished', (request) => {
      void request.sizes().then(({ responseBodySize }) => (bytes += responseBodySize))
    })
    await page.goto(`${on.url}/assistant`)
    await on.logIn()
    await on.preset('tcp-response')
    for (const view of ['framing', 'node-red', 'latency', 'rate']) await page.locator(`[data-view=${view}]`).click()
    await page.locator('.uplot').waitFor()
    expect(foreign).toEqual([])
    expect(bytes).toBeGreaterThan(50_000)
    expect(bytes).toBeLessThan(300_000)
  })

  test('without a login there is the sign-in page and nothing else', async () => {
    await on.open()
    for (const path of ['/assistant', '/assistant/', '/assistant/assets/index.js']) {
      const answer = await fetch(`${on.url}${path}`, { redirect: 'manual' })
      expect(answer.status).toBe(401)
    }
  })
})
