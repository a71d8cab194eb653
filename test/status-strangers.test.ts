import { once } from 'node:events'
import { request, type IncomingMessage } from 'node:http'
import { connect, type Socket } from 'node:net'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { PORTS_HEADER } from '../src/ports/header.ts'
import { docker } from './support/containers.ts'
import { EmbeddedNodeRedTcp, type StartedEmbeddedNodeRedTcp } from '../src/testing/embedded-node-red-tcp.ts'
import { describeContainer, newContainer } from './support/runtimes.ts'

const HELD = 200
const MOST = 128
const MAX_STREAMS = 16
const QUICK_MS = 1_000
// The limit is three seconds, and is looked at four times as often.
const LET_GO_MS = 6_000
const ANSWER_MS = 5_000
const AGAIN_MS = 10
const HASTY = 2_000
// Fewer than may be connected at one time.
const AT_ONCE = 100
const FEW = 25

/** Keeps connections open with half a request each, and opens another for each one that goes. */
class Crowd implements Disposable {
  private readonly held = new Set<Socket>()
  private readonly url: URL
  private over = false
  opened = 0

  constructor(url: string, count: number) {
    this.url = new URL(url)
    for (let n = 0; n < count; n += 1) this.open()
  }

  private open(): void {
    if (this.over) return
    const socket = connect(Number(this.url.port), this.url.hostname, () => {
      this.opened += 1
      socket.write('GET /healthz HTTP/1.1\r\nHost: localhost\r\n')
    })
    this.held.add(socket)
    socket.on('error', () => {})
    socket.on('close', () => {
      this.held.delete(socket)
      setTimeout(() => this.open(), AGAIN_MS)
    })
  }

  [Symbol.dispose](): void {
    this.over = true
    for (const socket of this.held) socket.destroy()
  }
}

async function ask(url: string, headers: Record<string, string> = {}): Promise<{ status: number; text: string }> {
  const [response] = (await once(request(url, { headers, agent: false, signal: AbortSignal.timeout(ANSWER_MS) }).end(), 'response')) as [
    IncomingMessage,
  ]
  let text = ''
  for await (const chunk of response) text += String(chunk)
  return { status: response.statusCode ?? 0, text }
}

describe('the status port and strangers', () => {
  let nodeRed: StartedEmbeddedNodeRedTcp
  let url: string

  beforeAll(async () => {
    nodeRed = await new EmbeddedNodeRedTcp().withEnvironment({ STATUS_HOSTS: 'Monitoring.example, other' }).start()
    url = nodeRed.getStatusUrl()
  })
  afterAll(async () => {
    await nodeRed[Symbol.asyncDispose]()
  })

  test('whoever asks gets an answer at once, however many connections are held with half a request', async () => {
    using crowd = new Crowd(url, HELD)
    await expect.poll(() => crowd.opened).toBeGreaterThan(HELD)
    for (let n = 0; n < 20; n += 1) {
      const started = performance.now()
      expect((await ask(`${url}/readyz`)).status).toBe(200)
      expect(performance.now() - started).toBeLessThan(QUICK_MS)
    }
    // The server holds no more than it wants to.
    const { text } = await ask(`${url}/metrics`)
    const port = new URL(url).port
    const open = Number(new RegExp(`^node_red_tcp_sockets_open\\{port="${port}",direction="in"\\} (\\d+)$`, 'm').exec(text)?.[1])
    expect(open).toBeLessThanOrEqual(MOST + HELD / 2)
  })

  test.each([
    ['sends nothing', ''],
    ['stops in the middle of a request', 'GET /healthz HTTP/1.1\r\nHost: '],
    ['sends nothing more after an answer', 'GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n'],
  ])('a connection that %s is closed', async (_what, bytes) => {
    const socket = connect(Number(new URL(url).port), '127.0.0.1')
    socket.on('error', () => {})
    socket.resume().write(bytes)
    await Promise.race([
      once(socket, 'close'),
      new Promise((_resolve, reject) => setTimeout(reject, LET_GO_MS, new Error('still open')).unref()),
    ])
  })

  test('a client that waits for no answers is disconnected', async () => {
    const socket = connect(Number(new URL(url).port), '127.0.0.1')
    socket.on('error', () => {})
    socket.pause().write('GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n'.repeat(HASTY))
    await new Promise((resolve) => socket.once('close', resolve).resume())
    // None of them was worked off before the connection went.
    expect(socket.bytesRead).toBe(0)
  })

  test('a costly page is made once for all who ask at the same time, and anew for who asks later', async () => {
    const answers = await Promise.all(Array.from({ length: AT_ONCE }, () => ask(`${url}/metrics`)))
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200))
    // The processor time that was used so far is in it, to the microsecond.
    expect(new Set(answers.map(({ text }) => text)).size).toBeLessThan(FEW)
    for (const page of ['/readyz', '/listeners', '/sessions', '/clients']) expect((await ask(`${url}${page}`)).status, page).toBe(200)
    expect(answers.map(({ text }) => text)).not.toContain((await ask(`${url}/metrics`)).text)
  })

  test.each([
    '127.0.0.1',
    '127.0.0.1:1881',
    '[::1]:1881',
    'localhost:1881',
    'LOCALHOST.',
    'node-red:1881',
    'status',
    'monitoring.example:80',
    'other',
  ])('answers when it is asked for as %s', async (host) => {
    expect((await ask(`${url}/healthz`, { host })).status).toBe(200)
  })

  test.each(['evil.example', 'localhost.evil.example', '127.0.0.1.nip.io:1881', '127.0.0.1@evil.example', '[::1', '1.2.3'])(
    'does not answer when it is asked for as "%s"',
    async (host) => {
      const { status, text } = await ask(`${url}/sessions`, { host })
      expect(status).toBe(421)
      expect(JSON.parse(text)).toEqual({ error: expect.stringContaining('STATUS_HOSTS') })
    },
  )

  test('the watcher gets its stream, however many strangers have one', async () => {
    const streams = Array.from({ length: MAX_STREAMS }, () => request(`${url}/listeners/stream`, { agent: false }).end())
    const answers = await Promise.all(streams.map(async (stream) => ((await once(stream, 'response')) as [IncomingMessage])[0]))
    expect(answers.map(({ statusCode }) => statusCode)).toEqual(streams.map(() => 200))
    expect((await ask(`${url}/listeners/stream`)).status).toBe(503)
    // Those who name themselves watchers cannot lock each other out either.
    const watchers = Array.from({ length: MAX_STREAMS + 1 }, () =>
      request(`${url}/listeners/stream`, { agent: false, headers: { [PORTS_HEADER]: '1' } }).end(),
    )
    for (const watcher of watchers) {
      watcher.on('error', () => {})
      const [response] = (await once(watcher, 'response')) as [IncomingMessage]
      response.on('error', () => {})
      expect(response.statusCode).toBe(200)
    }
    for (const stream of [...streams, ...watchers]) stream.on('error', () => {}).destroy()
  })
})

describeContainer('the health check of the container', () => {
  test('stays healthy while the host holds all the connections that it can', async () => {
    await using nodeRed = await newContainer(inject('image')).start()
    using crowd = new Crowd(nodeRed.getStatusUrl(), HELD)
    await expect.poll(() => crowd.opened).toBeGreaterThan(MOST)
    for (let n = 0; n < 10; n += 1) await docker('exec', nodeRed.getId(), '/opt/node-red-tcp/scripts/healthcheck.sh')
  })
})
