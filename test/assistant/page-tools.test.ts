import { once } from 'node:events'
import { createServer as createTlsServer, connect as connectTls } from 'node:tls'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { createAuthority } from '../../src/testing/certificates.ts'
import { TcpClient } from '../../src/testing/tcp-client.ts'
import { TcpPeer } from '../../src/testing/tcp-peer.ts'
import { AssistantPage, quietPort } from './support/page.ts'

describe('the tools of the page', { timeout: 120_000 }, () => {
  let on: AssistantPage

  beforeAll(async () => {
    on = await AssistantPage.start()
  })
  afterAll(async () => await on?.[Symbol.asyncDispose]())
  beforeEach(() => async () => await on.leave())

  const click = async (name: string) => await on.page.locator('dialog').getByRole('button', { name }).click()
  const closeDialog = async () => {
    await on.page.keyboard.press('Escape')
    await on.page.locator('dialog').waitFor({ state: 'detached' })
  }

  test('a tap passes on what comes and shows both sides in their colours', async () => {
    const page = await on.open()
    await using target = await TcpPeer.listen()
    const port = await quietPort()
    await page.locator('[name=kind]').selectOption('tap')
    await page.fill('[name=localPort]', String(port))
    await page.fill('[name=host]', '127.0.0.1')
    await page.fill('[name=port]', String(target.port))
    await page.locator('form button.open').click()
    await on.isOpen()
    await using device = await TcpClient.connect(port)
    const server = await target.accept()
    await device.send('question')
    await server.expect('question')
    await server.send('answer')
    await device.expect('answer')
    await expect.poll(async () => [await on.texts('rx'), await on.texts('tx')]).toEqual([['question'], ['answer']])
    const colour = async (dir: 'rx' | 'tx') =>
      await on.page.evaluate<string>(`getComputedStyle(document.querySelector('.log .entry.${dir} .dir')).color`)
    expect(await colour('rx')).not.toBe(await colour('tx'))
  })

  test('a replay keeps the pace of the log', async () => {
    await on.open()
    await using there = await on.device()
    const { device } = there
    await on.send('one')
    await device.expect('one')
    await pause(700)
    await on.send('two')
    await device.expect('two')
    await on.tool('replay')
    await click('Replay')
    await device.expect('one')
    const started = performance.now()
    await device.expect('two')
    const gap = performance.now() - started
    expect(gap).toBeGreaterThan(550)
    await on.page.locator('dialog [name=speed]').selectOption('100')
    await click('Replay')
    await device.expect('onetwo')
    await closeDialog()
    await expect.poll(() => on.entries('note').filter({ hasText: 'Replay ended after' }).count()).toBe(2)
  })

  describe('faults', () => {
    async function set(values: Record<string, string>): Promise<void> {
      const dialog = await on.tool('faults')
      for (const [name, value] of Object.entries(values)) await dialog.locator(`[name=${name}]`).fill(value)
      await click('Apply')
      await expect.poll(() => on.page.locator('[data-tool=faults]').innerText()).toContain('●')
    }
    /** How the bytes come in, each with its time since the first. */
    const chunksOf = (client: TcpClient) => {
      const chunks: { text: string; at: number }[] = []
      client.socket.on('data', (chunk: Buffer) => chunks.push({ text: chunk.toString(), at: performance.now() }))
      return chunks
    }

    test('split: what is sent leaves in pieces, with pauses', async () => {
      await on.open()
      await using there = await on.device()
      const chunks = chunksOf(there.device)
      await set({ splitBytes: '2', splitDelayMs: '150' })
      await closeDialog()
      await on.send('abcdef')
      await expect.poll(() => chunks.map(({ text }) => text)).toEqual(['ab', 'cd', 'ef'])
      expect(chunks[2]!.at - chunks[0]!.at).toBeGreaterThan(250)
    })

    test('merge: what is sent within the time leaves at once', async () => {
      await on.open()
      await using there = await on.device()
      const chunks = chunksOf(there.device)
      await set({ mergeMs: '1500' })
      await closeDialog()
      await on.page.fill('[name=payload]', 'one')
      await on.page.fill('[name=period]', '50')
      await on.page.fill('[name=count]', '3')
      await on.page.locator('[name=timer]').click()
      await expect.poll(() => chunks.map(({ text }) => text)).toEqual(['oneoneone'])
    })

    test('delay: what is sent leaves later, and is off again', async () => {
      await on.open()
      await using there = await on.device()
      await set({ delayMs: '800' })
      await closeDialog()
      const started = performance.now()
      await on.send('late')
      await there.device.expect('late')
      expect(performance.now() - started).toBeGreaterThan(780)
      await on.tool('faults')
      await click('All off')
      await expect.poll(() => on.page.locator('[data-tool=faults]').innerText()).not.toContain('●')
    })

    test('slow reader: what the other side sends piles up', async () => {
      await on.open()
      await using there = await on.device()
      await set({ readBytesPerSecond: '20000' })
      await closeDialog()
      let written = 0
      const chunk = Buffer.alloc(64 * 1024)
      // Far more than the kernel holds for a reader that does not read.
      while (written < 64 * 1024 * 1024 && there.device.socket.write(chunk)) written += chunk.length
      await pause(1_000)
      expect(there.device.socket.writableLength).toBeGreaterThan(0)
      there.device.socket.destroy()
    })

    test('half-close and reset: the other side sees each for what it is', async () => {
      await on.open()
      // A device that goes on sending when the other side has finished.
      const server = createServer({ allowHalfOpen: true }).listen(0, '127.0.0.1')
      await once(server, 'listening')
      const { port } = server.address() as AddressInfo
      const accept = async () => ((await once(server, 'connection')) as [Socket])[0].resume()
      const [first] = await Promise.all([accept(), on.dial(port)])
      await on.isOpen()
      await on.tool('faults')
      await Promise.all([once(first, 'end'), click('Half-close now')])
      first.write('still heard')
      await expect.poll(() => on.texts('rx')).toEqual(['still heard'])
      await closeDialog()
      await on.page.locator('form button.open').click()
      first.destroy()
      const [second] = await Promise.all([accept(), on.page.locator('form button.open.primary').click()])
      await on.isOpen()
      await on.tool('faults')
      const [[error]] = (await Promise.all([once(second, 'error'), click('Reset connection now')])) as [[NodeJS.ErrnoException], void]
      expect(error.code).toBe('ECONNRESET')
      server.close()
    })
  })

  test('a file goes out as it is, with its progress', async () => {
    await on.open()
    await using there = await on.device()
    const bytes = Buffer.alloc(700_000, 'file ')
    await on.page.locator('[name=file]').setInputFiles({ name: 'firmware.bin', mimeType: 'application/octet-stream', buffer: bytes })
    await there.device.expect(bytes, { within: 20_000 })
    await on.entries('note').filter({ hasText: 'firmware.bin is sent, 700000 bytes' }).waitFor()
  })

  test('a file that is being sent shows how far it is, and is cancelled', async () => {
    await on.open()
    await using there = await on.device()
    there.device.socket.pause()
    const buffer = Buffer.alloc(30 * 1024 * 1024)
    await on.page.locator('[name=file]').setInputFiles({ name: 'large.bin', mimeType: 'application/octet-stream', buffer })
    const progress = on.page.locator('.settings progress')
    await progress.waitFor()
    await expect.poll(() => on.page.evaluate<number>(`document.querySelector('.settings progress')?.value`)).toBeGreaterThan(0)
    await on.page.locator('.settings').getByRole('button', { name: 'Cancel' }).click()
    await on.entries('note').filter({ hasText: 'large.bin was cancelled after' }).waitFor()
    await progress.waitFor({ state: 'detached' })
  })

  describe('TLS', () => {
    const { ca, issue } = createAuthority()
    const { cert, key } = issue('scale.test')

    test('a client trusts the authority that is pasted, for the name that is given', async () => {
      const page = await on.open()
      const server = createTlsServer({ cert, key }, (socket) => socket.on('error', () => {}).pipe(socket)).listen(0, '127.0.0.1')
      await once(server, 'listening')
      const { port } = server.address() as AddressInfo
      await page.check('[name=tls]')
      await on.dial(port)
      await page.locator('[role=alert]', { hasText: 'TLS handshake failed' }).waitFor()
      await page.fill('[name=servername]', 'scale.test')
      await page.locator('summary', { hasText: 'Certificates' }).click()
      await page.fill('[name=ca]', ca)
      await page.locator('form button.open').click()
      await on.isOpen()
      await on.send('secret')
      await expect.poll(() => on.texts('rx')).toEqual(['secret'])
      server.close()
    })

    test('a server shows the certificate that is pasted; its key is not kept by the browser', async () => {
      const page = await on.open()
      const port = await quietPort()
      await page.locator('[name=kind]').selectOption('tcp-server')
      await page.check('[name=tls]')
      await page.fill('[name=localPort]', String(port))
      await page.locator('form button.open').click()
      await page.locator('[role=alert]', { hasText: 'A TLS server needs a certificate and its key' }).waitFor()
      await page.fill('[name=cert]', cert)
      await page.fill('[name=key]', key)
      await page.locator('form button.open').click()
      await on.isOpen()
      const socket = connectTls({ port, host: '127.0.0.1', ca, servername: 'scale.test' })
      await once(socket, 'secureConnect')
      socket.write('over TLS')
      await expect.poll(() => on.texts('rx')).toEqual(['over TLS'])
      socket.destroy()
      await pause(300)
      expect(await page.evaluate('JSON.stringify(localStorage)')).not.toContain('PRIVATE KEY')
    })
  })

  describe('auto-reply', () => {
    async function rule(when: string, pattern: string, reply: string, delay = 0): Promise<void> {
      const dialog = await on.tool('rules')
      await click('Add a rule')
      await dialog.getByLabel('When it').selectOption(when)
      if (pattern) await dialog.locator('[name=pattern]').fill(pattern)
      await dialog.locator('[name=reply]').fill(reply)
      if (delay) await dialog.getByLabel('Delay (ms)').fill(String(delay))
      await click('Save')
      await dialog.waitFor({ state: 'detached' })
    }

    test.each([
      ['contains', 'temp', 'what is the temperature', 'temp'],
      ['equals', 'ping', 'pong', 'ping'],
      ['hex', '01 ?? 03', 'seen', '\x01\x7f\x03'],
    ])('%s', async (when, pattern, reply, sent) => {
      await on.open()
      await using there = await on.device()
      await rule(when, pattern, reply, 400)
      const started = performance.now()
      await there.device.send(sent)
      await there.device.expect(reply)
      expect(performance.now() - started).toBeGreaterThan(380)
      await there.device.send('anything else')
      await there.device.expectSilence()
    })

    test('greets whoever connects', async () => {
      await on.open()
      const port = await quietPort()
      await on.listenOn(port)
      await rule('connect', '', 'welcome')
      await using device = await TcpClient.connect(port)
      await device.expect('welcome')
    })

    test('a rule that cannot be used is named, and nothing that was typed is lost', async () => {
      await on.open()
      await using there = await on.device()
      const dialog = await on.tool('rules')
      await click('Add a rule')
      await dialog.getByLabel('When it').selectOption('regex')
      await dialog.locator('[name=pattern]').fill('(unclosed')
      await click('Save')
      await dialog.locator('[role=alert]', { hasText: 'Rule #1 is not right' }).waitFor()
      await closeDialog()
      await on.tool('rules')
      expect(await dialog.locator('[name=pattern]').inputValue()).toBe('(unclosed')
      expect(there.peer.port).toBeGreaterThan(0)
    })
  })

  test('quick commands are kept, sent to the chosen peer, exported, and imported by another browser', async () => {
    const page = await on.open()
    const port = await quietPort()
    await on.listenOn(port)
    await using first = await TcpClient.connect(port)
    await using second = await TcpClient.connect(port)
    await expect.poll(() => page.locator('[name=peer] option').count()).toBe(3)
    await page.locator('[name=peer]').selectOption(`127.0.0.1:${second.localPort}`)
    await page.fill('[name=payload]', 'status?')
    await page.getByRole('button', { name: 'Quick commands' }).click()
    await page.fill('[name=quick-name]', 'Ask')
    await click('Keep what is typed')
    await page.locator('dialog li').getByRole('button', { name: 'Send' }).click()
    await second.expect('status?')
    await first.expectSilence()
    const { name, bytes } = await on.download(() => click('Export'))
    expect(name).toBe('quick-commands.json')
    await closeDialog()
    const here = on.page
    const other = await on.open()
    await other.locator('.tab [role=tab]').first().click()
    await other.getByRole('button', { name: 'Quick commands' }).click()
    await other.locator('[name=quick-file]').setInputFiles({ name: 'notes.json', mimeType: 'application/json', buffer: Buffer.from('{}') })
    await other.locator('dialog [role=alert]', { hasText: 'notes.json is not a list of quick commands' }).waitFor()
    await other.locator('[name=quick-file]').setInputFiles({ name, mimeType: 'application/json', buffer: bytes })
    await other.locator('dialog li', { hasText: 'status?' }).getByRole('button', { name: 'Edit' }).click()
    expect(await other.inputValue('[name=payload]')).toBe('status?')
    await here.context().close()
  })

  test('the history brings back what was sent, with its settings, after a reload too', async () => {
    const page = await on.open()
    await using there = await on.device()
    await on.send('first')
    await on.send('second')
    await there.device.expect('firstsecond')
    await page.reload()
    await page.getByRole('button', { name: 'History' }).click()
    await expect.poll(() => page.locator('dialog .entry .bytes').allInnerTexts()).toEqual(['second', 'first'])
    await page.locator('dialog .entry', { hasText: 'first' }).click()
    await expect.poll(() => page.inputValue('[name=payload]')).toBe('first')
  })

  test('a timer sends so many times, with macros', async () => {
    const page = await on.open()
    await using there = await on.device()
    await page.check('[name=macros]')
    await page.fill('[name=payload]', '{{counter:2}};')
    await page.fill('[name=period]', '50')
    await page.fill('[name=count]', '3')
    await page.locator('[name=timer]').click()
    await there.device.expect('01;02;03;')
    await there.device.expectSilence()
    await on.entries('note').filter({ hasText: 'Timer ended after 3 times' }).waitFor()
  })

  test('a peer is disconnected from here', async () => {
    const page = await on.open()
    const port = await quietPort()
    await on.listenOn(port)
    await using device = await TcpClient.connect(port)
    await expect.poll(() => page.locator('[name=peer] option').count()).toBe(2)
    await on.tool('peers')
    await click('Disconnect')
    await device.expectClose()
    await page.locator('dialog', { hasText: 'Nobody is connected' }).waitFor()
  })

  test('datagrams go out and come in', async () => {
    const page = await on.open()
    const port = await quietPort()
    await page.locator('[name=kind]').selectOption('udp')
    await page.fill('[name=localPort]', String(port))
    await page.fill('[name=host]', '127.0.0.1')
    await page.fill('[name=port]', String(port))
    await page.locator('form button.open').click()
    await on.isOpen()
    await on.send('to itself')
    await expect.poll(() => on.texts('rx')).toEqual(['to itself'])
  })
})
