import { execFile } from 'node:child_process'
import { createSocket } from 'node:dgram'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { TcpClient } from '../../src/testing/tcp-client.ts'
import { AssistantPage, quietPort } from './support/page.ts'

const run = promisify(execFile)

describe('the log of the page', { timeout: 120_000 }, () => {
  let on: AssistantPage

  beforeAll(async () => {
    on = await AssistantPage.start()
  })
  afterAll(async () => await on?.[Symbol.asyncDispose]())
  beforeEach(() => async () => await on.leave())

  /** Opens a UDP endpoint and fills its log with numbered lines of one to three rows. */
  async function fill(count: number): Promise<{ add: (count: number) => Promise<void> } & Disposable> {
    const port = await quietPort()
    await on.page.locator('[name=kind]').selectOption('udp')
    await on.page.fill('[name=localPort]', String(port))
    await on.page.fill('[name=host]', '')
    await on.page.locator('form button.open').click()
    await on.isOpen()
    const socket = createSocket('udp4')
    let sent = 0
    const shown = async () => Number((await on.page.locator('[data-counter=rx] small').innerText()).replace(/\D/g, ''))
    async function add(more: number): Promise<void> {
      for (const end = sent + more; sent < end;) {
        const next = Math.min(end, sent + 200)
        for (; sent < next; sent += 1) socket.send(`<${sent}> ${'word '.repeat((sent % 3) * 25)}`, port, '127.0.0.1')
        // A kernel drops datagrams that nobody has read yet.
        await expect.poll(shown, { interval: 20, timeout: 20_000 }).toBe(sent)
      }
    }
    await add(count)
    return { add, [Symbol.dispose]: () => socket.close() }
  }
  const jump = async (part: number) =>
    await on.page.evaluate(`{ const log = document.querySelector('.log'); log.scrollTop = log.scrollHeight * ${part} }`)
  /** Numbers of the lines in sight, from above. */
  const inSight = async () => {
    const texts = await on.page.evaluate<string[]>(`[...document.querySelectorAll('.log .entry .text')].flatMap((row) => {
      const { top, bottom } = row.getBoundingClientRect(), log = document.querySelector('.log').getBoundingClientRect()
      return bottom > log.top && top < log.bottom ? [row.textContent] : []
    })`)
    return texts.map((text) => Number(/<(\d+)>/.exec(text)?.[1]))
  }

  test('filters by direction and by peer, and steps through hits among the others', async () => {
    const page = await on.open()
    const port = await quietPort()
    await on.listenOn(port)
    await using first = await TcpClient.connect(port)
    await using second = await TcpClient.connect(port)
    await first.send('from the first')
    await second.send('from the second')
    await expect.poll(() => on.entries('rx').count()).toBe(2)
    await on.send('to both')
    await page.getByLabel('Direction').selectOption('tx')
    await expect.poll(() => page.locator('.log .entry .text').allInnerTexts()).toEqual(['to both', 'to both'])
    await page.getByLabel('Direction').selectOption('')
    await page.locator('.toolbar').getByLabel('Peer').selectOption(`127.0.0.1:${second.localPort}`)
    await expect.poll(() => on.texts('rx')).toEqual(['from the second'])
    await page.locator('.toolbar').getByLabel('Peer').selectOption('')
    await page.fill('[name=search]', 'second')
    await page.getByRole('button', { name: 'Filter' }).click()
    await expect.poll(() => on.entries('rx').count()).toBe(2)
    await page.locator('[name=search]').press('Enter')
    expect(await page.locator('.entry.selected .text').innerText()).toBe('from the second')
    expect(await page.locator('.details .dump').innerText()).toContain('66 72 6F 6D')
  })

  test('bytes are read again in another encoding, and times as differences', async () => {
    const page = await on.open()
    await using there = await on.device()
    await there.device.send(Buffer.from('D6D0CEC4', 'hex'))
    await on.entries('rx').first().waitFor()
    await page.locator('[name=receive-encoding]').selectOption('gbk')
    await expect.poll(() => on.texts('rx')).toEqual(['中文'])
    await page.locator('[name=time]').selectOption('difference')
    await expect.poll(() => on.entries('rx').first().locator('time').innerText()).toMatch(/^\+\d+\.\d{6}$/)
  })

  test('bytes are shown as text, as HEX or as both, wrapped or not', async () => {
    await on.open()
    await using there = await on.device()
    await there.device.send('wide '.repeat(200))
    await on.entries('rx').first().waitFor()
    const row = on.entries('rx').last()
    const parts = async () => [await row.locator('.text').count(), await row.locator('.hex').count()]
    for (const [show, expected] of [
      ['text', [1, 0]],
      ['hex', [0, 1]],
      ['both', [1, 1]],
    ] as const) {
      await on.page.check(`[name=show][value=${show}]`)
      await expect.poll(parts).toEqual(expected)
    }
    await on.page.check('[name=show][value=text]')
    const height = async () => (await row.boundingBox())!.height
    const wrapped = await height()
    await on.page.getByLabel('Wrap lines').uncheck()
    await expect.poll(height).toBeLessThan(wrapped / 2)
    await on.page.getByLabel('Wrap lines').check()
    await expect.poll(height).toBe(wrapped)
  })

  test('pauses, counts what has come meanwhile, goes on, and is cleared', async () => {
    const page = await on.open()
    await using there = await on.device()
    await there.device.send('before')
    await expect.poll(() => on.texts('rx')).toEqual(['before'])
    await page.locator('[name=pause]').click()
    await there.device.send('meanwhile')
    await page.locator('.to-end', { hasText: '1 new' }).waitFor()
    expect(await on.texts('rx')).toEqual(['before'])
    // What is paused can be searched, as far as it is shown.
    await page.fill('[name=search]', 'nothing of this')
    await expect.poll(() => on.texts('rx')).toEqual([])
    await page.fill('[name=search]', 'e')
    await expect.poll(() => on.texts('rx')).toEqual(['before'])
    await page.fill('[name=search]', '')
    await expect.poll(() => on.entries('note').count()).toBeGreaterThan(0)
    expect(await on.texts('rx')).toEqual(['before'])
    await page.locator('.to-end', { hasText: '1 new' }).waitFor()
    await page.locator('[name=pause]').click()
    await expect.poll(() => on.texts('rx')).toEqual(['before', 'meanwhile'])
    await page.locator('[name=clear]').click()
    await expect.poll(() => page.locator('.log .entry.rx').count()).toBe(0)
  })

  test('follows the newest until somebody scrolls up, and what is read then stays in sight', async () => {
    const page = await on.open()
    using filled = await fill(1_000)
    await expect.poll(async () => (await inSight()).at(-1)).toBe(999)
    await filled.add(200)
    await expect.poll(async () => (await inSight()).at(-1)).toBe(1_199)
    await on.page.locator('.log').hover()
    await page.mouse.wheel(0, -3_000)
    await page.locator('.to-end').waitFor()
    // Until the rows that came into sight have been measured.
    await expect.poll(async () => (await inSight()).length).toBeGreaterThan(3)
    const [reading] = await inSight()
    await filled.add(500)
    await expect.poll(() => page.locator('.toolbar .count').innerText()).toContain('1,7')
    expect((await inSight())[0]).toBe(reading)
    await page.locator('.to-end').click()
    await expect.poll(async () => (await inSight()).at(-1)).toBe(1_699)
  })

  test('jumps show what stands there, without a hole, in a long log of rows of many heights', async () => {
    await on.open()
    using _filled = await fill(6_000)
    for (const part of [0.5, 0.1, 0.9, 0.33, 0]) {
      await jump(part)
      await expect
        .poll(async () => {
          const lines = await inSight()
          const ordered = lines.every((line, at) => at === 0 || line === lines[at - 1]! + 1)
          return ordered && lines.length > 1 && Math.abs(lines[0]! - 6_000 * part) < 600
        })
        .toBe(true)
    }
    await expect.poll(async () => (await inSight())[0]).toBe(0)
    await jump(1)
    await expect.poll(async () => (await inSight()).at(-1)).toBe(5_999)
  })

  test('a slow pattern over a long log lets the page go on, and what is typed meanwhile is looked for instead', async () => {
    const page = await on.open()
    using _filled = await fill(4_000)
    const count = page.locator('.toolbar .count')
    await page.getByLabel('Search by').selectOption('regex')
    await page.fill('[name=search]', '(\\w+\\s?){20,60}never')
    await count.filter({ hasText: 'searching' }).waitFor()
    await page.fill('[name=search]', '^<39\\d\\d> $')
    await expect.poll(() => count.innerText()).toBe('34 entries')
    await expect.poll(async () => (await inSight()).at(-1)).toBe(3_999)
  })

  describe('exports', () => {
    async function exported(format: string): Promise<Buffer> {
      await on.open()
      await on.preset('tcp-response')
      await on.isOpen()
      await on.send('re"ad\\n')
      await on.entries('rx').first().waitFor()
      return (await on.download(() => on.page.locator('[name=export]').selectOption(format))).bytes
    }

    test('text and CSV', async () => {
      expect((await exported('text')).toString()).toMatch(/-> .*re"ad/)
      const csv = (await on.download(() => on.page.locator('[name=export]').selectOption('csv'))).bytes.toString()
      expect(csv.split('\r\n').filter((line) => line.includes('re""ad')).length).toBe(2)
    })

    test('HEX dump', async () => {
      expect((await exported('hexdump')).toString()).toMatch(/72 65 22 61 64/i)
    })

    test('pcapng, which tshark reads', async () => {
      const file = join(mkdtempSync(join(tmpdir(), 'assistant-')), 'page.pcapng')
      writeFileSync(file, await exported('pcapng'))
      const { stdout } = await run('tshark', ['-r', file, '-Y', 'tcp.len > 0', '-T', 'fields', '-e', 'tcp.payload'])
      const payloads = stdout
        .trim()
        .split('\n')
        .map((hex) => Buffer.from(hex, 'hex').toString())
      expect(payloads).toEqual(['re"ad\\n', 're"ad\\n'])
    })
  })
})
