import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { arrive } from '../support/browser.ts'
import { freePort } from '../../src/testing/free-port.ts'
import { TcpPeer } from '../../src/testing/tcp-peer.ts'
import { AssistantPage, quietPort } from './support/page.ts'

/** What a notice says in each language. */
type Words = Record<'en-US' | 'zh-CN', string>
const LOCALES = ['en-US', 'zh-CN'] as const

describe('what goes wrong on the page', { timeout: 120_000 }, () => {
  let on: AssistantPage

  beforeAll(async () => {
    on = await AssistantPage.start({ PUBLISHED_PORTS: '0.0.0.0:9500-9519' })
  })
  afterAll(async () => await on?.[Symbol.asyncDispose]())
  beforeEach(() => async () => await on.leave())

  /** The notice is there in both languages of the same page, and what was typed to be sent as well. */
  async function says(role: 'alert' | 'banner' | 'note', words: Words): Promise<void> {
    const place = { alert: '[role=alert]', banner: '.banner', note: '.log .entry.note' }[role]
    const first = (await on.page.locator('html').getAttribute('lang')) === 'en' ? 'en-US' : 'zh-CN'
    for (const locale of [first, ...LOCALES.filter((each) => each !== first)] as const) {
      await on.page.locator(place, { hasText: words[locale] }).first().waitFor({ timeout: 20_000 })
      await on.page.locator('[name=language]').click()
    }
    if (await on.page.locator('[name=payload]').isVisible()) expect(await on.page.inputValue('[name=payload]')).toBe('typed before')
  }

  /** Types what must not be lost, at an endpoint that works. */
  async function typeSomething(): Promise<void> {
    await on.open()
    await on.preset('tcp-response')
    await on.isOpen()
    await on.page.fill('[name=payload]', 'typed before')
    await on.newEndpoint()
  }

  test('nobody listens', async () => {
    await typeSomething()
    const port = await freePort()
    await on.dial(port)
    await says('alert', { 'en-US': `Nobody listens on 127.0.0.1:${port}`, 'zh-CN': `127.0.0.1:${port} 拒绝连接` })
  })

  test('no way there', async () => {
    await typeSomething()
    // TCP goes to no broadcast address: the kernel says that there is no way.
    await on.dial(9, '255.255.255.255')
    await says('alert', { 'en-US': 'cannot be reached from the server', 'zh-CN': '服务器无法到达' })
  })

  test('a name that is not known', async () => {
    await typeSomething()
    await on.dial(9, 'no-such-host.invalid')
    await says('alert', { 'en-US': 'The name no-such-host.invalid is not known', 'zh-CN': '找不到主机名 no-such-host.invalid' })
  })

  test('a port that is taken', async () => {
    await typeSomething()
    await using peer = await TcpPeer.listen()
    await on.page.locator('[name=kind]').selectOption('tcp-server')
    await on.page.fill('[name=localPort]', String(peer.port))
    await on.page.locator('form button.open').click()
    await says('alert', { 'en-US': `Port ${peer.port} is taken already`, 'zh-CN': `端口 ${peer.port} 已被占用` })
  })

  test('a port that is not published, with the command that opens it', async () => {
    await typeSomething()
    const port = await quietPort()
    await on.listenOn(port)
    const command = `npm run ports -- publish ${port}`
    await says('banner', { 'en-US': `Open it with: ${command}`, 'zh-CN': `执行此命令即可开放：${command}` })
  })

  test('wrong HEX', async () => {
    await on.open()
    await using _there = await on.device()
    await on.page.locator('.settings .segments label', { hasText: 'HEX' }).last().click()
    await on.page.fill('[name=payload]', '01 0G')
    await on.page.locator('.mistake', { hasText: 'Not HEX at position 5: “G”' }).waitFor()
    await on.page.locator('[name=language]').click()
    await on.page.locator('.mistake', { hasText: '第 5 个字符“G”不是 HEX' }).waitFor()
    expect(await on.page.inputValue('[name=payload]')).toBe('01 0G')
  })

  test('a port that is none', async () => {
    await on.open()
    await on.page.fill('[name=host]', '127.0.0.1')
    await on.page.fill('[name=port]', '70000')
    await on.page.locator('form button.open').click()
    await says('alert', { 'en-US': 'ports are numbers from 1 to 65535', 'zh-CN': '端口是 1 到 65535 的数字' })
    expect(await on.page.inputValue('[name=port]')).toBe('70000')
  })

  test('a file that is too large', async () => {
    await on.open()
    await on.page.routeWebSocket(/assistant\/socket/, (socket) => {
      socket.connectToServer().onMessage((message) => socket.send(String(message).replace(/"fileBytes":\d+/, '"fileBytes":10')))
    })
    await on.page.reload()
    await using _there = await on.device()
    await on.page.fill('[name=payload]', 'typed before')
    await on.page.locator('[name=file]').setInputFiles({ name: 'large.bin', mimeType: 'text/plain', buffer: Buffer.alloc(11) })
    await says('alert', { 'en-US': 'The file has 11 bytes; the limit is 10', 'zh-CN': '文件有 11 字节，上限为 10' })
  })

  test('a peer that resets the connection', async () => {
    await on.open()
    await using there = await on.device()
    await on.page.fill('[name=payload]', 'typed before')
    there.device.socket.resetAndDestroy()
    await says('note', { 'en-US': 'has reset the connection', 'zh-CN': '重置了连接' })
  })

  test('nobody to send to', async () => {
    await on.open()
    await on.listenOn(await quietPort())
    await on.page.fill('[name=payload]', 'typed before')
    await on.page.locator('[name=send]').click()
    await says('alert', { 'en-US': 'Nobody is connected yet', 'zh-CN': '还没有对端连接' })
  })

  test('a connection of the browser that breaks comes back by itself, with what came meanwhile', async () => {
    await on.open()
    let cut = () => {}
    let reachable = true
    await on.page.routeWebSocket(/assistant\/socket/, (socket) => {
      if (!reachable) return void socket.close()
      socket.connectToServer()
      cut = () => void socket.close()
    })
    await on.page.reload()
    await using there = await on.device()
    await on.page.fill('[name=payload]', 'typed before')
    reachable = false
    cut()
    await says('alert', { 'en-US': 'The connection to the server is lost; trying again', 'zh-CN': '与服务器的连接已断开，正在重试' })
    expect(await on.page.locator('[name=send]').isDisabled()).toBe(true)
    await there.device.send('meanwhile')
    reachable = true
    await expect.poll(() => on.texts('rx'), { timeout: 20_000 }).toEqual(['meanwhile'])
    expect(await on.page.inputValue('[name=payload]')).toBe('typed before')
    await on.send('again')
    await there.device.expect('again')
  })

  test('one of two tabs removes the endpoint that both look at', async () => {
    const first = await on.open()
    await using _there = await on.device()
    await first.fill('[name=payload]', 'typed in the first')
    const second = await first.context().newPage()
    const close = second.locator('.tabs .close').first()
    await arrive(
      second,
      () => second.goto(`${on.url}/assistant`),
      () => close.waitFor(),
    )
    await close.click()
    await first.locator('.welcome').waitFor()
    await on.dial(await freePort())
    await first.locator('[role=alert]', { hasText: 'Nobody listens' }).waitFor()
    expect(await first.inputValue('[name=payload]')).toBe('typed in the first')
  })
})

describe('a restart of the server', { timeout: 180_000 }, () => {
  test.each([
    ['en-US', 'not on the server any more: it was restarted', 'Open them again'],
    ['zh-CN', '已不在服务器上：服务器重启过', '重新打开'],
  ])('%s: the page says so, keeps what was typed, and opens the endpoints again', async (locale, lost, again) => {
    const environment = { EDITOR_PORT: String(await freePort()), DATA_DIR: join(mkdtempSync(join(tmpdir(), 'assistant-')), 'data') }
    await using on = await AssistantPage.start(environment)
    await on.open({ locale })
    await using there = await on.device()
    await on.page.fill('[name=payload]', 'typed before')
    await on.restart()
    await on.page.locator('[role=alert]', { hasText: lost }).waitFor({ timeout: 30_000 })
    await on.page.getByRole('button', { name: again }).click()
    await on.isOpen()
    const device = await there.peer.accept()
    expect(await on.page.inputValue('[name=payload]')).toBe('typed before')
    await on.page.locator('[name=send]').click()
    await device.expect('typed before')
  })
})
