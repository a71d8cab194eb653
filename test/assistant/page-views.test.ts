import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { AssistantPage } from './support/page.ts'

// Each text in sight of less than 4.5 to 1 (WCAG AA), with its ratio; what is switched off may be fainter.
const FAINT = `(() => {
  const parse = (color) => color.match(/[\\d.]+/g).map(Number)
  const light = ([r, g, b]) => {
    const [x, y, z] = [r, g, b].map((c) => (c /= 255) <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
    return 0.2126 * x + 0.7152 * y + 0.0722 * z
  }
  const behind = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const color = parse(getComputedStyle(at).backgroundColor)
      if (color[3] !== 0) return color
    }
    return [255, 255, 255]
  }
  return [...document.querySelectorAll('body *')].flatMap((element) => {
    const text = [...element.childNodes].filter((node) => node.nodeType === 3).map((node) => node.data.trim()).join('')
    if (!text || !element.checkVisibility() || element.closest(':disabled, option')) return []
    const [a, b] = [light(parse(getComputedStyle(element).color)), light(behind(element))].sort((x, y) => y - x)
    const ratio = (a + 0.05) / (b + 0.05)
    return ratio < 4.5 ? [text + ' ' + ratio.toFixed(2)] : []
  })
})()`

describe('the views of the page', { timeout: 120_000 }, () => {
  let on: AssistantPage

  beforeAll(async () => {
    on = await AssistantPage.start()
  })
  afterAll(async () => await on?.[Symbol.asyncDispose]())
  beforeEach(() => async () => await on.leave())

  const view = async (name: string) => await on.page.locator(`[data-view=${name}]`).click()
  const frames = async () => await on.page.locator('.frame .bytes:not(.quiet)').allInnerTexts()

  test('on a phone nothing is cut off: scenarios, and what can be done with a peer', async () => {
    const width = 390
    const page = await on.open({ width })
    const inSight = async (selector: string) => {
      await page.locator(selector).first().waitFor()
      for (const part of await page.locator(selector).all()) {
        const box = (await part.boundingBox())!
        expect.soft([box.x >= 0, box.x + box.width <= width], `${selector}: ${JSON.stringify(box)}`).toEqual([true, true])
      }
    }
    await inSight('.welcome .card')
    await inSight('.welcome p')
    await on.preset('tcp-response')
    await on.isOpen()
    await page.getByRole('button', { name: 'Settings' }).click()
    await page.locator('[data-tool=peers]').click()
    await inSight('dialog td button')
    await page.keyboard.press('Escape')
    await page.getByRole('button', { name: 'Settings' }).click()
  })

  test('on a phone what closes the details of an entry stands beside its number', async () => {
    const page = await on.open({ width: 390 })
    await on.preset('tcp-response')
    await on.isOpen()
    await on.send('hello')
    await on.entries('rx').first().click()
    const top = async (selector: string) => (await page.locator(`.details ${selector}`).first().boundingBox())!.y
    expect(Math.abs((await top('strong')) - (await top('button.plain')))).toBeLessThan(20)
    await page.locator('.details button.plain').click()
    await expect.poll(() => page.locator('.details').count()).toBe(0)
  })

  test.each([false, true])('text stands out from what is behind it, dark: %s', async (dark) => {
    const page = await on.open({ dark })
    await page.getByRole('button', { name: 'Connect', exact: true }).waitFor()
    expect(await page.evaluate(FAINT)).toEqual([])
    await using there = await on.device()
    await there.device.send('hello')
    await on.send('hello')
    await on.entries('rx').first().click()
    await page.locator('.details').waitFor()
    expect(await page.evaluate(FAINT)).toEqual([])
  })

  test('frames: the same bytes are cut by delimiter, length field and marks, one after the other', async () => {
    const page = await on.open()
    await using there = await on.device()
    await there.device.send('\x02ab\x03')
    await on.entries('rx').first().waitFor()
    await there.device.send('\x02c')
    await expect.poll(() => on.entries('rx').count()).toBe(2)
    await view('framing')
    await page.locator('[name=framing]').selectOption('stream')
    await expect.poll(frames).toEqual(['␂ab␃', '␂c'])
    await page.locator('[name=framing]').selectOption('marker')
    await expect.poll(frames).toEqual(['ab', '␂c'])
    await page.locator('.frame', { hasText: 'incomplete' }).waitFor()
    await page.locator('[name=framing]').selectOption('length')
    await page.getByLabel('Bytes of the field').selectOption('1')
    await expect.poll(frames).toEqual(['␂ab', '␃␂c'])
    await page.locator('[name=verify]').selectOption('crc16-modbus')
    await expect.poll(() => page.locator('.frame .flag.bad').count()).toBe(1)
  })

  test('as Node-RED sees it: characters that are cut and settings without effect are flagged', async () => {
    const page = await on.open()
    await using there = await on.device()
    const text = Buffer.from('温度')
    await there.device.send(text.subarray(0, 4))
    await on.entries('rx').first().waitFor()
    await there.device.send(text.subarray(4))
    await expect.poll(() => on.entries('rx').count()).toBe(2)
    await view('node-red')
    // As a stream of text, the rest of a character waits for the next chunk; in frames of so many bytes it cannot.
    await expect.poll(() => page.locator('.message > div:last-child .bytes').allInnerTexts()).toEqual(['"温"', '"度"'])
    await page.locator('[name=node-framing]').selectOption('fixed')
    await page.getByLabel('Bytes per frame').fill('4')
    await page.locator('.message .flag.bad', { hasText: 'character cut in two' }).first().waitFor()
    await page.locator('.banner', { hasText: 'Characters (utf8) are cut in two' }).waitFor()
    await page.locator('[name=node-framing]').selectOption('')
    await page.locator('[name=newline]').fill('\\n')
    await page.locator('.banner', { hasText: 'never came in these bytes' }).waitFor()
  })

  test('latency: from what was sent to the reply, in numbers and as a histogram', async () => {
    const page = await on.open()
    await on.preset('tcp-response')
    await on.isOpen()
    for (const text of ['one', 'two', 'three']) {
      await on.send(text)
      await expect.poll(() => on.textOf('rx').innerText()).toBe(text)
    }
    await view('latency')
    await expect.poll(() => page.locator('.stats dd').first().innerText()).toBe('3')
    expect(await page.locator('.stats dd').nth(1).innerText()).toMatch(/^[\d.]+ (µs|ms)$/)
    const counts = await page.locator('.histogram .bucket > span:first-child').allInnerTexts()
    expect(counts.reduce((sum, count) => sum + Number(count), 0)).toBe(3)
    await expect.poll(() => page.locator('.pair-row').count()).toBe(3)
  })

  test('rate: the chart draws what came, in bytes and in entries', async () => {
    const page = await on.open()
    await on.preset('tcp-response')
    await on.isOpen()
    await on.send('a rate')
    await view('rate')
    await page.locator('.uplot').waitFor()
    // Pixels that the lines of the series coloured: grey and text have equal parts of red, green and blue, or nearly.
    const coloured = async () =>
      await page.evaluate(`(() => {
        const canvas = document.querySelector('.uplot canvas')
        const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height)
        let count = 0
        for (let at = 0; at < data.length; at += 4) if (data[at + 3] > 0 && Math.max(data[at], data[at + 1], data[at + 2]) - Math.min(data[at], data[at + 1], data[at + 2]) > 60) count += 1
        return count
      })()`)
    await expect.poll(coloured).toBeGreaterThan(50)
    await page.locator('label', { hasText: 'Entries/s' }).click()
    await expect.poll(() => page.locator('.uplot').innerText()).toContain('RX')
    await expect.poll(coloured).toBeGreaterThan(50)
  })
})
