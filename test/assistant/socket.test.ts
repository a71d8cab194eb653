import { once } from 'node:events'
import { describe, expect, onTestFinished, test, beforeAll, afterAll } from 'vitest'
import WebSocket from 'ws'
import type { EndpointInfo, Entry, Permissions, Preset, ServerEvent } from '../../src/assistant/shared/protocol.ts'
import { hintsFor } from '../../src/plugins/assistant/hints.ts'
import { permissionsOf } from '../../src/plugins/assistant/permissions.ts'
import { createPublished } from '../../src/ports/published.ts'
import { EmbeddedNodeRedTcp, type StartedEmbeddedNodeRedTcp } from '../../src/testing/embedded-node-red-tcp.ts'
import { freePort } from '../../src/testing/free-port.ts'
import { TcpClient } from '../../src/testing/tcp-client.ts'
import type { Notice } from '../../src/assistant/shared/notice.ts'

type Hello = Extract<ServerEvent, { on: 'hello' }>

/** A browser's side of the assistant's WebSocket. */
class Page {
  readonly socket: WebSocket
  readonly events: ServerEvent[] = []
  private readonly answers = new Map<number, (answer: { ok: boolean; result?: unknown; error?: Notice }) => void>()
  private count = 0

  constructor(socket: WebSocket) {
    this.socket = socket
    socket.on('message', (data) => {
      const message = JSON.parse((data as Buffer).toString()) as ServerEvent | { id: number; ok: boolean }
      if ('on' in message) this.events.push(message)
      else this.answers.get(message.id)?.(message)
    })
  }

  static async open(nodeRed: StartedEmbeddedNodeRedTcp): Promise<Page> {
    const { token } = await nodeRed.admin
    const url = `${nodeRed.getEditorUrl().replace('http', 'ws')}/assistant/socket`
    const socket = new WebSocket(url, { headers: { authorization: `Bearer ${token}` } })
    const page = new Page(socket)
    onTestFinished(() => socket.terminate())
    await once(socket, 'open')
    await expect.poll(() => page.events[0]?.on).toBe('hello')
    return page
  }

  get hello(): Hello {
    return this.events[0] as Hello
  }

  async ask<T>(verb: string, request: object = {}): Promise<T> {
    const id = (this.count += 1)
    const answered = new Promise<{ ok: boolean; result?: unknown; error?: Notice }>((resolve) => this.answers.set(id, resolve))
    this.socket.send(JSON.stringify({ id, do: verb, ...request }))
    const { ok, result, error } = await answered
    if (!ok) throw new Error(JSON.stringify(error))
    return result as T
  }

  entries(endpoint: string): Entry[] {
    return this.events.flatMap((event) => (event.on === 'entries' && event.endpoint === endpoint ? event.entries : []))
  }

  peers(endpoint: string): number {
    const last = this.events.findLast((event) => event.on === 'endpoint' && event.info.id === endpoint)
    return last?.on === 'endpoint' ? last.info.peers.length : 0
  }

  text(endpoint: string, dir: 'rx' | 'tx' = 'rx'): string {
    return this.entries(endpoint)
      .map((entry) => (entry.dir === dir ? Buffer.from(entry.data!, 'base64').toString() : ''))
      .join('')
  }
}

describe('the assistant behind the login', () => {
  let nodeRed: StartedEmbeddedNodeRedTcp
  let inClient = 0
  let outClient = 0

  beforeAll(async () => {
    inClient = await freePort()
    outClient = await freePort()
    nodeRed = await new EmbeddedNodeRedTcp()
      .withEnvironment({ ASSISTANT_ENDPOINTS: '8', TCP_IN_CLIENT_PORT: String(inClient), TCP_OUT_CLIENT_PORT: String(outClient) })
      .start()
  })
  afterAll(async () => void (await nodeRed?.stop()))

  test('lets nobody in without a login, and no page of another origin', async () => {
    const url = nodeRed.getEditorUrl()
    for (const path of ['/assistant', '/assistant/assets/index.js']) {
      expect((await fetch(`${url}${path}`, { redirect: 'manual' })).status).toBe(401)
    }
    const { token } = await nodeRed.admin
    const foreign = { authorization: `Bearer ${token}`, origin: 'http://elsewhere.example' }
    for (const [headers, status] of [
      [{}, '401'],
      [foreign, '403'],
      [{ cookie: 'node-red-tcp=no' }, '401'],
    ] as const) {
      const socket = new WebSocket(`${url.replace('http', 'ws')}/assistant/socket`, { headers })
      const [error] = (await once(socket, 'error')) as [Error]
      expect(error.message).toContain(status)
    }
  })

  test('says how the other side of every scenario is played, and plays it', async () => {
    const page = await Page.open(nodeRed)
    expect(page.hello.permissions).toEqual<Permissions>({ read: true, write: true, flows: true })
    const preset = (scenario: Preset['scenario']) => page.hello.presets.find((each) => each.scenario === scenario)!
    expect(page.hello.presets).toHaveLength(5)
    const { id } = await page.ask<EndpointInfo>('open', { spec: preset('tcp-response').spec })
    await page.ask('watch', { endpoint: id, from: 0 })
    await expect.poll(() => page.entries(id).some(({ note }) => note?.code === 'CONNECTED')).toBe(true)
    await page.ask('send', { endpoint: id, draft: { ...preset('tcp-response').draft, text: 'what time is it' } })
    await expect.poll(() => page.text(id)).not.toBe('')
    await page.ask('remove', { endpoint: id })
    const server = await page.ask<EndpointInfo>('open', { spec: preset('tcp-in-client').spec })
    expect(server.spec).toMatchObject({ kind: 'tcp-server', port: inClient })
    // The flow dials every ten seconds.
    await expect.poll(() => page.peers(server.id), { timeout: 15_000 }).toBeGreaterThan(0)
    await page.ask('remove', { endpoint: server.id })
  })

  test('offers the other side of those scenarios alone that there are', async () => {
    await using some = await new EmbeddedNodeRedTcp().withEnvironment({ SCENARIOS: 'tcp-response dashboard' }).start()
    expect((await Page.open(some)).hello.presets.map(({ scenario }) => scenario)).toEqual(['tcp-response'])
  })

  test('keeps endpoints for a tab that was closed, and shows them to all that are open', async () => {
    const port = await freePort()
    const first = await Page.open(nodeRed)
    const { id } = await first.ask<EndpointInfo>('open', { spec: { kind: 'tcp-server', port }, name: 'mine' })
    const second = await Page.open(nodeRed)
    expect(second.hello.endpoints.map(({ name }) => name)).toContain('mine')
    await first.ask('watch', { endpoint: id })
    await second.ask('watch', { endpoint: id })
    await using device = await TcpClient.connect(port)
    await device.send('one')
    await expect.poll(() => [first.text(id), second.text(id)]).toEqual(['one', 'one'])
    first.socket.close()
    await once(first.socket, 'close')
    await device.send('two')
    await expect.poll(() => second.text(id)).toBe('onetwo')
    const third = await Page.open(nodeRed)
    const { last } = third.hello.endpoints.find((each) => each.id === id)!.log
    const fetched = await third.ask<{ entries: Entry[] }>('fetch', { endpoint: id, from: 0, to: last })
    expect(fetched.entries.map(({ data }) => data && Buffer.from(data, 'base64').toString())).toContain('two')
    await third.ask('remove', { endpoint: id })
    await expect.poll(() => second.events.some((event) => event.on === 'removed' && event.endpoint === id)).toBe(true)
  })

  test('serves its page with a policy that runs nothing else, and nothing from outside of its folder', async () => {
    const { url, token } = await nodeRed.admin
    const get = async (path: string) => await fetch(`${url}${path}`, { headers: { authorization: `Bearer ${token}` } })
    const page = await get('/assistant')
    expect(page.headers.get('content-security-policy')).toMatch(/^default-src 'none'; script-src 'self';/)
    // Suites may run before the page was built.
    expect([200, 503]).toContain(page.status)
    for (const path of ['..%2f..%2fsettings.js', '.env', 'index.html', 'none.js']) {
      expect((await get(`/assistant/assets/${path}`)).status).toBe(404)
    }
  })

  test('answers nonsense with what is wrong with it', async () => {
    const page = await Page.open(nodeRed)
    await expect(page.ask('open', { spec: { kind: 'tcp-client', host: 'a b', port: 1 } })).rejects.toThrow(/BAD_REQUEST.*spec.host/)
    await expect(page.ask('open', { spec: { kind: 'tcp-client', host: 'a', port: 70_000 } })).rejects.toThrow('spec.port')
    await expect(page.ask('send', { endpoint: 'none', data: '' })).rejects.toThrow('NO_ENDPOINT')
    await expect(page.ask('explode')).rejects.toThrow('BAD_REQUEST')
    page.socket.send('{')
    page.socket.send('[]')
    const { id } = await page.ask<EndpointInfo>('open', { spec: { kind: 'udp', localPort: 0 } })
    await expect(
      page.ask('send', { endpoint: id, draft: { mode: 'hex', text: '0G', encoding: 'utf8', escapes: false, ending: '', macros: false } }),
    ).rejects.toThrow('BAD_HEX')
    await page.ask('remove', { endpoint: id })
  })

  test('a port that is in use is its own trouble, not that of the container', async () => {
    const page = await Page.open(nodeRed)
    const port = page.hello.presets.flatMap(({ spec }) => (spec.kind === 'tcp-client' ? [spec.port] : []))[0]!
    const { id } = await page.ask<EndpointInfo>('open', { spec: { kind: 'tcp-server', port } })
    await expect.poll(() => JSON.stringify(page.events.findLast(({ on }) => on === 'endpoint'))).toContain('PORT_IN_USE')
    expect((await fetch(`${nodeRed.getStatusUrl()}/readyz`)).status).toBe(200)
    await page.ask('remove', { endpoint: id })
  })

  test('exports what was said', async () => {
    const port = await freePort()
    const page = await Page.open(nodeRed)
    const { id } = await page.ask<EndpointInfo>('open', { spec: { kind: 'tcp-server', port } })
    await using device = await TcpClient.connect(port)
    await device.send('exported')
    await page.ask('watch', { endpoint: id, from: 0 })
    await expect.poll(() => page.text(id)).toBe('exported')
    for (const format of ['text', 'csv', 'hexdump', 'pcapng', 'flow']) {
      const { data, name } = await page.ask<{ data: string; name: string }>('export', { endpoint: id, format })
      expect(name).toMatch(/^\w[\w.-]*\.\w+$/)
      if (format === 'text' || format === 'pcapng') expect(Buffer.from(data, 'base64').toString()).toContain('exported')
    }
    await page.ask('remove', { endpoint: id })
  })
})

test('is where flows find it under ASSISTANT_HOST, as long as it listens', async () => {
  const port = await freePort()
  await using nodeRed = await new EmbeddedNodeRedTcp()
    .withEnvironment({ ASSISTANT_HOST: 'assistant.invalid', TCP_IN_CLIENT_PORT: String(port), TCP_OUT_CLIENT_PORT: '1' })
    .start()
  const page = await Page.open(nodeRed)
  const { id } = await page.ask<EndpointInfo>('open', { spec: { kind: 'tcp-server', port } })
  await expect.poll(() => page.peers(id), { timeout: 20_000 }).toBe(1)
  const shown = page.events.findLast((event) => event.on === 'endpoint')
  expect(shown?.on === 'endpoint' && shown.info.hints).toContainEqual({ code: 'SHORTCUT', params: { host: 'assistant.invalid', port } })
})

test('is not there when it is switched off', async () => {
  await using nodeRed = await new EmbeddedNodeRedTcp().withEnvironment({ ASSISTANT: 'false' }).start()
  const { url, token } = await nodeRed.admin
  expect((await fetch(`${url}/assistant`, { headers: { authorization: `Bearer ${token}` } })).status).toBe(404)
})

test('takes permissions as Node-RED grants them', () => {
  expect(permissionsOf('*')).toEqual({ read: true, write: true, flows: true })
  expect(permissionsOf('read')).toEqual({ read: true, write: false, flows: false })
  expect(permissionsOf(['*.read', 'write'])).toEqual({ read: true, write: true, flows: true })
  expect(permissionsOf(['assistant.write'])).toEqual({ read: true, write: true, flows: false })
  expect(permissionsOf(['flows.write'])).toEqual({ read: false, write: false, flows: true })
  expect(permissionsOf(undefined)).toEqual({ read: false, write: false, flows: false })
})

test('says that nobody outside reaches a port, and the command that helps', () => {
  const published = createPublished()
  const hints = (port: number) => hintsFor({ kind: 'tcp-server', port }, { address: '::', port }, { published, host: '127.0.0.1' })
  expect(hints(9601)).toEqual([])
  published.configure([{ address: '0.0.0.0', first: 9500, last: 9519 }])
  expect(hints(9510)).toEqual([])
  expect(hints(9601)).toEqual([{ code: 'NOT_PUBLISHED', params: { port: 9601, command: 'npm run ports -- publish 9601' } }])
})
