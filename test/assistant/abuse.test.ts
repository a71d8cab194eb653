import { monitorEventLoopDelay } from 'node:perf_hooks'
import { connect, createServer, type AddressInfo } from 'node:net'
import { once } from 'node:events'
import { afterEach, describe, expect, test } from 'vitest'
import { createInbox } from '../../src/assistant/scenario/inbox.ts'
import { createHub, type Hub } from '../../src/assistant/engine/hub.ts'
import { createWatcher } from '../../src/assistant/server/watcher.ts'
import { parseHexPattern, indexOfBytes, indexOfPattern } from '../../src/assistant/shared/pattern.ts'
import { perform } from './support/perform.ts'
import type { View } from '../../src/assistant/shared/requests.ts'
import { parseRegex } from '../../src/assistant/shared/regex.ts'
import { compileRule } from '../../src/assistant/shared/rules.ts'
import { createSearch } from '../../src/assistant/shared/search.ts'
import type { Draft, EndpointSpec } from '../../src/assistant/shared/spec.ts'

const MIB = 1024 * 1024
// Far above what is allowed to take long, and far below what it took: hours, or minutes.
const LONG_MS = 5_000
const REPLY: Draft = { mode: 'text', text: '$&', encoding: 'utf8', escapes: false, ending: '', macros: false }

const hubs: Hub[] = []
afterEach(() => {
  for (const hub of hubs.splice(0)) hub.close()
})

function startHub(): Hub {
  const hub = createHub()
  hubs.push(hub)
  return hub
}

/** What a request comes to, for how long nothing else had its turn meanwhile, and how often it had. */
async function lagOf<T>(work: () => T | Promise<T>): Promise<{ result: T; lagMs: number; turns: number }> {
  const delay = monitorEventLoopDelay({ resolution: 5 })
  delay.enable()
  await new Promise((resolve) => setTimeout(resolve, 20))
  let turns = 0
  const counting = setInterval(() => (turns += 1), 1)
  const result = await work()
  clearInterval(counting)
  await new Promise((resolve) => setTimeout(resolve, 20))
  delay.disable()
  return { result, lagMs: delay.max / 1e6, turns }
}

function msOf(work: () => unknown): number {
  const started = performance.now()
  work()
  return performance.now() - started
}

describe('what a device sends makes no pattern slow', () => {
  test.each(['^(\\w+\\s?)+$', '(a*)*b', '(a|aa)+$', '(.*)(.*)(.*)(.*)(.*)x$', '^(([a-z])+.)+[A-Z]([a-z])+$'])('%s', (pattern) => {
    const text = `${'a'.repeat(60_000)}!`
    const bytes = Buffer.from(text)
    const { compiled } = compileRule({ when: { by: 'regex', pattern }, reply: REPLY }) as Extract<
      ReturnType<typeof compileRule>,
      object
    > & {
      compiled: { match: (bytes: Uint8Array) => unknown }
    }
    expect(msOf(() => compiled.match(bytes))).toBeLessThan(LONG_MS)
    const { search } = createSearch({ by: 'regex', text: pattern }) as {
      search: { matches: (entry: object) => boolean; ranges: (text: string) => unknown }
    }
    expect(msOf(() => search.matches({ dir: 'rx', peer: '', data: bytes }))).toBeLessThan(LONG_MS)
    expect(msOf(() => search.ranges(text))).toBeLessThan(LONG_MS)
    const inbox = createInbox('utf8')
    inbox.add(bytes)
    expect(msOf(() => inbox.take({ by: 'regex', text: pattern }))).toBeLessThan(LONG_MS)
  })

  test('line endings in front of the last byte', () => {
    const result = compileRule({ when: { by: 'equals', pattern: 'x' }, reply: REPLY })
    const bytes = Buffer.concat([Buffer.alloc(500_000, '\n'), Buffer.from('x')])
    expect('compiled' in result && msOf(() => result.compiled.match(bytes))).toBeLessThan(LONG_MS)
  })

  test('bytes of which nearly all are those that are looked for', () => {
    const bytes = Buffer.alloc(4 * MIB, 'a')
    const wanted = Buffer.concat([Buffer.alloc(200_000, 'a'), Buffer.from('b')])
    expect(msOf(() => indexOfBytes(bytes, wanted))).toBeLessThan(LONG_MS)
    expect(indexOfBytes(Buffer.concat([bytes, wanted]), wanted)).toBe(4 * MIB)
    const any = parseHexPattern(`?? ${'61 '.repeat(120)} 62`)!
    expect(msOf(() => indexOfPattern(bytes, any))).toBeLessThan(LONG_MS)
  })
})

describe('a pattern', () => {
  const matches = (pattern: string, text: string) => {
    const parsed = parseRegex(pattern)
    return 'regex' in parsed ? parsed.regex.find(text)?.captures : parsed.reason
  }

  test.each([
    ['temp=(\\d+)', 'x temp=21\r\n', ['temp=21', '21']],
    ['a.b', 'a\nb', ['a\nb']],
    ['/A.B/im', 'a\nb', undefined],
    ['/^B$/im', 'a\nb', ['b']],
    ['(?<name>é)(x)?', '😀é', ['é', 'é', '']],
    ['\\u0041\\x42[^]', 'ABC', ['ABC']],
    ['\\x02(.*?)\\x03', '\x02one\x03\x02two\x03', ['\x02one\x03', 'one']],
  ])('%s in %j', (pattern, text, captures) => expect(matches(pattern, text)).toEqual(captures))

  test.each([
    ['a(?=b)', /^Invalid regular expression: .*there is no looking ahead or behind/],
    ['(a)\\1', /no looking ahead or behind, and no \\1$/],
    ['(', /^Invalid regular expression: missing closing \)$/],
    ['(a{50}){50}', /too large|Invalid/],
    ['a'.repeat(1025), /longer than 1024 characters/],
  ])('%s is refused', (pattern, reason) => expect(matches(pattern, '')).toMatch(reason))

  test('finds as many places as it can in a moment', () => {
    const parsed = parseRegex('a.*z|a')
    if (!('regex' in parsed)) throw new Error(parsed.reason)
    expect(parsed.regex.ranges('baab', 10)).toEqual([
      [1, 2],
      [2, 3],
    ])
    expect(msOf(() => parsed.regex.ranges('a'.repeat(60_000), 1000))).toBeLessThan(LONG_MS)
  })
})

describe('a scenario file', () => {
  const PEER = 'peers: {a: {client: "127.0.0.1:1"}}\nsteps:\n'

  async function play(text: string): Promise<{ lagMs: number; refusal: string }> {
    const hub = startHub()
    const sink = { send() {}, buffered: () => 0 }
    const watcher = createWatcher(hub, sink, { permissions: { read: true, write: true, flows: true }, version: '1' })
    const { result, lagMs } = await lagOf(() => watcher.answer('scenario', { text }).catch((error: Error) => error.message))
    watcher.stop()
    return { lagMs, refusal: typeof result === 'string' ? result : 'played' }
  }

  test.each([
    ['many keys', Array.from({ length: 15_000 }, (_, at) => `${at.toString(36)}:`).join('\n')],
    ['a step with many keys', `${PEER} - {send: x, ${Array.from({ length: 8_000 }, (_, at) => `k${at}: 1`).join(', ')}}`],
    ['many variables', `peers: {a: {client: "${'${a:-'.repeat(50_000)}"}}\nsteps: [{send: x}]`],
    ['deep lists', '['.repeat(20_000)],
    ['many peers', `peers:\n${Array.from({ length: 5_500 }, (_, at) => ` p${at}: {client: "1.1.1.1:1"}`).join('\n')}\nsteps: [{send: x}]`],
    ['many mistakes', `${PEER}${' - {send: x, to: nobody}\n'.repeat(9_000)}`],
  ])('with %s is refused, and others have their turn', async (_name, text) => {
    const { lagMs, refusal } = await play(text)
    expect(refusal).toMatch(/^BAD_SCENARIO/)
    expect(refusal.length).toBeLessThan(20_000)
    expect(lagMs).toBeLessThan(1_000)
  })

  test('that goes round and round without waiting lets others have their turn, and can be stopped', async () => {
    await using server = createServer((socket) => socket.on('error', () => {}).resume()).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    const hub = startHub()
    const watcher = createWatcher(
      hub,
      { send() {}, buffered: () => 0 },
      { permissions: { read: true, write: true, flows: true }, version: '1' },
    )
    const loop = '- {repeat: 100000, steps: [{repeat: 100000, steps: [{close: a}]}]}'
    const text = `peers: {a: {client: "127.0.0.1:${port}"}}\nsteps: [{connected: a}, ${loop.slice(2)}]`
    const { result, lagMs } = await lagOf(async () => {
      const { run } = (await watcher.answer('scenario', { text })) as { run: string }
      await new Promise((resolve) => setTimeout(resolve, 300))
      await watcher.answer('scenario', { stop: run })
      await expect.poll(() => hub.infos()).toEqual([])
      return 'stopped'
    })
    watcher.stop()
    expect(result).toBe('stopped')
    expect(lagMs).toBeLessThan(1_000)
  })
})

describe('long work lets others have their turn', () => {
  /** An endpoint whose log holds so much. */
  async function filled(pieces: readonly Buffer[]): Promise<{ hub: Hub; id: string }> {
    const server = createServer((socket) => void socket.on('error', () => {}).resume()).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const hub = startHub()
    const spec: EndpointSpec = { kind: 'tcp-client', host: '127.0.0.1', port: (server.address() as AddressInfo).port }
    const { id } = hub.open(spec)
    server.unref()
    await expect.poll(() => hub.find(id).info().peers.length).toBe(1)
    for (const piece of pieces) hub.find(id).log.add('tx', hub.find(id).info().peers[0]!.id, { data: piece })
    return { hub, id }
  }
  const large = () => filled(Array.from({ length: 8 }, () => Buffer.alloc(MIB, 'a')))

  test.each<[string, View]>([
    ['frames of one byte', { view: 'framing', framing: { kind: 'fixed', length: 1 } }],
    ['a delimiter that never comes', { view: 'framing', framing: { kind: 'delimiter', delimiter: '61 61 61 62', keep: true } }],
    ['a delimiter that comes all the time', { view: 'framing', framing: { kind: 'delimiter', delimiter: '61', keep: true } }],
    ['lines as Node-RED sees them', { view: 'node-red', settings: { datatype: 'utf8', newline: 'a' } }],
    ['bytes as Node-RED sees them', { view: 'node-red', settings: { framing: 'fixed', frameLength: '1' } }],
    ['text', { view: 'text', encoding: 'gbk' }],
    ['latency', { view: 'latency' }],
  ])('view of %s', async (_name, view) => {
    const { hub, id } = await large()
    const { result, lagMs } = await lagOf(() => perform(hub, 'view', { endpoint: id, ...view }))
    if ('frames' in result) expect(result.frames.length).toBeLessThanOrEqual(5_000)
    expect(lagMs).toBeLessThan(1_000)
  })

  test.each(['text', 'csv', 'hexdump', 'pcapng', 'flow'] as const)('export as %s', async (format) => {
    const { hub, id } = await large()
    const { lagMs } = await lagOf(() => perform(hub, 'export', { endpoint: id, format }))
    expect(lagMs).toBeLessThan(1_500)
  })

  test('one that nobody waits for any more ends', async () => {
    const { hub, id } = await large()
    const watcher = createWatcher(
      hub,
      { send() {}, buffered: () => 0 },
      { permissions: { read: true, write: true, flows: true }, version: '1' },
    )
    const answers = Array.from({ length: 20 }, () => watcher.answer('export', { endpoint: id, format: 'hexdump' }))
    watcher.stop()
    const outcomes = await Promise.allSettled(answers)
    expect(outcomes.map(({ status }) => status)).toEqual(outcomes.map(() => 'rejected'))
  })

  test('an answer holds no more entries than make a message of a bounded length', async () => {
    const { hub, id } = await large()
    const answer = await perform(hub, 'fetch', { endpoint: id, from: 0, to: 100 })
    expect(JSON.stringify(answer).length).toBeLessThan(4 * MIB)
    expect(answer.entries.length).toBeGreaterThan(0)
  })

  test('a file in datagrams of one byte', async () => {
    const hub = startHub()
    const { id } = hub.open({ kind: 'udp', localPort: 0, host: '127.0.0.1', port: 9 })
    await expect.poll(() => hub.find(id).info().peers.length).toBe(1)
    const size = 30_000
    void perform(hub, 'file', { endpoint: id, step: 'begin', name: 'f', size, chunkBytes: 1 })
    const data = Buffer.alloc(size).toString('base64')
    const { turns } = await lagOf(() => perform(hub, 'file', { endpoint: id, step: 'chunk', data }))
    expect(turns).toBeGreaterThan(3)
  })

  test('a fault that splits into single bytes without a pause', async () => {
    const received: number[] = []
    const server = createServer((socket) => void socket.on('error', () => {}).on('data', (chunk) => received.push(chunk.length))).listen(
      0,
      '127.0.0.1',
    )
    await once(server, 'listening')
    const hub = startHub()
    const spec: EndpointSpec = { kind: 'tcp-client', host: '127.0.0.1', port: (server.address() as AddressInfo).port }
    const { id } = hub.open(spec)
    await expect.poll(() => hub.find(id).info().peers.length).toBe(1)
    void perform(hub, 'faults', { endpoint: id, faults: { splitBytes: 1, splitDelayMs: 0 } })
    const size = 30_000
    const { lagMs } = await lagOf(async () => {
      await perform(hub, 'send', { endpoint: id, data: Buffer.alloc(size).toString('base64') })
      await expect.poll(() => received.reduce((sum, length) => sum + length, 0), { timeout: 30_000 }).toBe(size)
    })
    expect(lagMs).toBeLessThan(1_000)
    server.close()
  })

  test('a log that is played again all at once', async () => {
    const { hub, id } = await filled(Array.from({ length: 10_000 }, () => Buffer.from('x')))
    const { turns } = await lagOf(async () => {
      const source = { endpoint: id, dir: 'tx' as const }
      await perform(hub, 'replay', { endpoint: id, source, speed: 1000 })
      await expect.poll(() => hub.find(id).info().replay, { timeout: 30_000 }).toBeUndefined()
    })
    expect(turns).toBeGreaterThan(3)
  })
})

test('a flood that a scenario waits in is looked at for a part of the time only', async () => {
  const hub = startHub()
  const watcher = createWatcher(
    hub,
    { send() {}, buffered: () => 0 },
    { permissions: { read: true, write: true, flows: true }, version: '1' },
  )
  const text = `peers: {s: {server: 0}}\nsteps: [{expect: {regex: "never{5}z"}, from: s, timeout: 60s}]`
  const { run } = (await watcher.answer('scenario', { text })) as { run: string }
  await expect.poll(() => hub.infos()[0]?.state).toBe('open')
  const device = connect(hub.infos()[0]!.local!.port, '127.0.0.1')
  device.on('error', () => {})
  const { lagMs } = await lagOf(async () => {
    for (let count = 0; count < 200; count += 1) device.write(Buffer.alloc(30_000, 'never'))
    await expect.poll(() => hub.infos()[0]!.counters.rxBytes, { timeout: 30_000 }).toBe(6_000_000)
  })
  await watcher.answer('scenario', { stop: run })
  device.destroy()
  watcher.stop()
  expect(lagMs).toBeLessThan(1_000)
})
