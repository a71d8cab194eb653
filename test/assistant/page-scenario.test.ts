import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { AssistantPage } from './support/page.ts'

describe('scenario files on the page', { timeout: 120_000 }, () => {
  let on: AssistantPage

  beforeAll(async () => {
    on = await AssistantPage.start()
  })
  afterAll(async () => await on?.[Symbol.asyncDispose]())
  beforeEach(() => async () => await on.leave())

  const verdict = () => on.page.locator('dialog .verdict')
  const steps = () => on.page.locator('dialog .step')
  const selected = async () =>
    await on.page.evaluate<string>(`(() => {
      const { value, selectionStart, selectionEnd } = document.querySelector('dialog [name=scenario]')
      return value.slice(selectionStart, selectionEnd)
    })()`)
  const play = async () => await on.page.locator('dialog [name=run]').click()

  test.each([
    ['en-US', 'Passed: 24 steps', 'second is connected'],
    ['zh-CN', '通过：24 步', 'second 已连接'],
  ])('%s: a shipped example runs against the flows here, step by step, and gives JUnit', async (locale, passed, first) => {
    await on.open({ locale })
    const dialog = await on.tool('scenario')
    await dialog.locator('[name=example]').selectOption('tcp-response.yaml')
    await play()
    await expect.poll(() => verdict().innerText(), { timeout: 20_000 }).toContain(passed)
    await expect.poll(() => steps().count()).toBe(24)
    expect(await steps().first().innerText()).toMatch(new RegExp(`${first}\\s+[\\d.]+ (µs|ms)`))
    const { name, bytes } = await on.download(() => dialog.locator('[name=junit]').click())
    expect(name).toBe('tcp-response.xml')
    expect(bytes.toString()).toContain('<testsuite name="TCP response" tests="24" failures="0"')
    expect(bytes.toString()).toContain(`<testcase name="${first}"`)
    // Nothing of the run is left on the server.
    expect(await on.page.locator('.tab').count()).toBe(0)
  })

  test('each shipped example can be chosen', async () => {
    await on.open()
    const dialog = await on.tool('scenario')
    const options = await dialog.locator('[name=example] option').allInnerTexts()
    expect(options.slice(1)).toEqual([
      'tcp-in-client.yaml',
      'tcp-in-server.yaml',
      'tcp-out-client.yaml',
      'tcp-out-server.yaml',
      'tcp-response.yaml',
    ])
  })

  test('a step that fails says why and where, and its logs are kept on demand', async () => {
    await on.open()
    const dialog = await on.tool('scenario')
    const port = /(\d+)/.exec((await on.page.locator('[data-preset=tcp-response] .port').innerText()).trim())![1]
    await dialog
      .locator('[name=scenario]')
      .fill(
        `peers: { device: { client: 127.0.0.1:${port} } }\nsteps:\n  - send: ping\n  - { expect: pong, timeout: 300ms }\n  - wait: 1s\n`,
      )
    await dialog.locator('[name=keep]').check()
    await play()
    await expect.poll(() => verdict().innerText()).toContain('Failed at step 2')
    await expect.poll(() => steps().count()).toBe(2)
    expect(await dialog.locator('.why').innerText()).toMatch(/^Line 4: "pong" did not come from device within 300 ms; received: ping/)
    await steps().last().locator('.what').click()
    expect(await selected()).toBe('  - { expect: pong, timeout: 300ms }')
    await on.page.keyboard.press('Escape')
    await on.page.locator('.tab [role=tab]').click()
    await expect.poll(() => on.texts('rx')).toEqual(['ping'])
  })

  test('mistakes in the file are told with their lines before anything is opened', async () => {
    await on.open({ locale: 'zh-CN' })
    const dialog = await on.tool('scenario')
    await dialog.locator('[name=scenario]').fill('peers: { a: { client: "127.0.0.1:1" } }\nsteps:\n  - foo: 1\n  - expect: { hex: 0G }\n')
    await dialog.locator('[name=scenario]').press('Control+Enter')
    await dialog.locator('[role=alert]', { hasText: '此场景文件无法运行' }).waitFor()
    expect(await dialog.locator('.line').allInnerTexts()).toEqual(['第 3 行', '第 4 行'])
    await dialog.locator('.line').last().click()
    expect(await selected()).toBe('  - expect: { hex: 0G }')
    expect(await on.page.locator('.tab').count()).toBe(0)
  })

  test('a run goes on behind the closed dialog, shows what it waits for, and is stopped', async () => {
    await on.open()
    await on.tool('scenario')
    await on.page.fill('dialog [name=scenario]', 'peers: { a: { server: 0 } }\nsteps:\n  - { name: patience, wait: 60s }\n')
    await play()
    await expect.poll(() => on.page.locator('dialog .now').innerText()).toContain('patience')
    await on.page.keyboard.press('Escape')
    await on.page.locator('[data-tool=scenario] .pulse').waitFor()
    await on.tool('scenario')
    await on.page.locator('dialog [name=stop]').click()
    await expect.poll(() => verdict().innerText()).toBe('Stopped at step 1')
  })

  test('what was typed survives a reload, and an example that is taken by mistake', async () => {
    await on.open()
    const dialog = await on.tool('scenario')
    const field = dialog.locator('[name=scenario]')
    await field.fill('# mine\n')
    await on.page.reload()
    await on.tool('scenario')
    expect(await field.inputValue()).toBe('# mine\n')
    await dialog.locator('[name=example]').selectOption('tcp-response.yaml')
    expect(await field.inputValue()).toContain('TCP response')
    await dialog.getByRole('button', { name: 'Back to what was here before' }).click()
    expect(await field.inputValue()).toBe('# mine\n')
  })

  test('a file is opened and saved; one that is too large is refused by name and nothing is lost', async () => {
    await on.open()
    const dialog = await on.tool('scenario')
    const file = (name: string, text: string) => ({ name, mimeType: 'application/yaml', buffer: Buffer.from(text) })
    await dialog.locator('[name=scenario-file]').setInputFiles(file('scale.yaml', '# scale\n'))
    await expect.poll(() => dialog.locator('[name=scenario]').inputValue()).toBe('# scale\n')
    await dialog.locator('[name=scenario-file]').setInputFiles(file('huge.yaml', '#'.repeat(300 * 1024)))
    await dialog.locator('[role=alert]', { hasText: 'huge.yaml is larger than 256 kB' }).waitFor()
    const saved = await on.download(() => dialog.getByRole('button', { name: 'Save as a file' }).click())
    expect([saved.name, saved.bytes.toString()]).toEqual(['scale.yaml', '# scale\n'])
  })
})
