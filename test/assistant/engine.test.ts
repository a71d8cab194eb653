import { once } from 'node:events'
import { createSocket } from 'node:dgram'
import { connect, createServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { connect as connectTls } from 'node:tls'
import { expect, onTestFinished, test } from 'vitest'
import { createHub, type HubOptions, type Hub } from '../../src/assistant/engine/hub.ts'
import { createLog } from '../../src/assistant/engine/log.ts'
import { createTargets } from '../../src/assistant/engine/targets.ts'
import { createWatcher } from '../../src/assistant/server/watcher.ts'
import type { Answer, EndpointInfo, FramingView, NodeView, ServerEvent } from '../../src/assistant/shared/protocol.ts'
import type { Draft, EndpointSpec } from '../../src/assistant/shared/spec.ts'
import { createAuthority } from '../../src/testing/certificates.ts'
import { TcpClient } from '../../src/testing/tcp-client.ts'
import { perform } from './support/perform.ts'
import { freePort } from '../../src/testing/free-port.ts'
import { TcpPeer } from '../../src/testing/tcp-peer.ts'

function startHub(options: HubOptions = {}): Hub {
  const hub = createHub(options)
  onTestFinished(() => hub.close())
  return hub
}

function open(hub: Hub, spec: EndpointSpec): string {
  return hub.open(spec).id
}

const infoOf = (hub: Hub, endpoint: string): EndpointInfo => hub.find(endpoint).info()

async function opened(hub: Hub, endpoint: string): Promise<number> {
  await expect.poll(() => infoOf(hub, endpoint).state).toBe('open')
  return infoOf(hub, endpoint).local!.port
}

const received = (hub: Hub, endpoint: string, dir = 'rx'): string =>
  hub
    .find(endpoint)
    .log.slice(0, Infinity)
    .filter((entry) => entry.dir === dir)
    .map(({ data }) => Buffer.from(data!).toString())
    .join('')

const codes = (hub: Hub, endpoint: string): string[] =>
  hub
    .find(endpoint)
    .log.slice(0, Infinity)
    .flatMap(({ note }) => (note ? [note.code] : []))

const draft = (text: string, rest: Partial<Draft> = {}): Draft => ({
  mode: 'text',
  text,
  encoding: 'utf8',
  escapes: false,
  ending: '',
  macros: false,
  ...rest,
})

test('a client and a server talk, to one peer and to all', async () => {
  const hub = startHub()
  const server = open(hub, { kind: 'tcp-server', port: 0, host: '127.0.0.1' })
  const port = await opened(hub, server)
  const one = open(hub, { kind: 'tcp-client', host: 'localhost', port })
  const other = open(hub, { kind: 'tcp-client', host: '127.0.0.1', port })
  await expect.poll(() => infoOf(hub, server).peers.length).toBe(2)
  expect(perform(hub, 'send', { endpoint: server, draft: draft('all') })).toEqual({ bytes: 3, peers: 2 })
  await expect.poll(() => [received(hub, one), received(hub, other)]).toEqual(['all', 'all'])
  await opened(hub, other)
  const peer = `127.0.0.1:${infoOf(hub, other).local!.port}`
  void perform(hub, 'send', { endpoint: server, peer, data: Buffer.from('!').toString('base64') })
  void perform(hub, 'send', { endpoint: one, draft: draft('你好', { encoding: 'gbk', ending: '\r\n' }) })
  await expect.poll(() => received(hub, other)).toBe('all!')
  expect(received(hub, one)).toBe('all')
  await expect.poll(() => infoOf(hub, server).counters.rxBytes).toBe(6)
  void perform(hub, 'kick', { endpoint: server, peer })
  await expect.poll(() => infoOf(hub, other).state).toBe('closed')
  expect(codes(hub, other)).toContain('ENDED')
})

test.each<[string, EndpointSpec, string]>([
  ['a closed port', { kind: 'tcp-client', host: '127.0.0.1', port: 1 }, 'REFUSED'],
  ['a name that does not exist', { kind: 'tcp-client', host: 'nowhere.invalid', port: 80 }, 'DNS_FAILED'],
  ['a metadata address', { kind: 'tcp-client', host: '169.254.169.254', port: 80 }, 'METADATA_ADDRESS'],
  ['an address that is not here', { kind: 'tcp-server', host: '203.0.113.1', port: 0 }, 'ADDRESS_NOT_HERE'],
  ['TLS without a certificate', { kind: 'tcp-server', port: 0, tls: {} }, 'TLS_NEEDS_CERTIFICATE'],
])('says what is wrong with %s', async (_, spec, code) => {
  const hub = startHub()
  const endpoint = open(hub, spec)
  await expect.poll(() => infoOf(hub, endpoint).problem?.code, { timeout: 15_000 }).toBe(code)
  expect(infoOf(hub, endpoint).state).toBe('failed')
})

test('says that a port is in use, and opens when it is free', async () => {
  // Not one that the kernel gives away as soon as it is free.
  const port = await freePort()
  const taken = createServer().listen(port, '127.0.0.1')
  await once(taken, 'listening')
  const hub = startHub()
  const endpoint = open(hub, { kind: 'tcp-server', port, host: '127.0.0.1' })
  await expect.poll(() => infoOf(hub, endpoint).problem).toEqual({ code: 'PORT_IN_USE', params: { port } })
  taken.close()
  await once(taken, 'close')
  void perform(hub, 'reopen', { endpoint })
  expect(await opened(hub, endpoint)).toBe(port)
})

test('dials what the allow list has, by address and by name', async () => {
  await using peer = await TcpPeer.listen()
  const hub = startHub({ targets: `127.0.0.0/8:${peer.port} [::1]` })
  const allowed = open(hub, { kind: 'tcp-client', host: '127.0.0.1', port: peer.port })
  await opened(hub, allowed)
  const port = peer.port === 65535 ? 65534 : peer.port + 1
  const refused = open(hub, { kind: 'tcp-client', host: '127.0.0.1', port })
  expect(infoOf(hub, refused).problem).toEqual({ code: 'TARGET_NOT_ALLOWED', params: { host: '127.0.0.1', port, address: '127.0.0.1' } })
  const strict = startHub({ targets: '10.0.0.0/8' })
  const byName = open(strict, { kind: 'tcp-client', host: 'localhost', port: peer.port })
  await expect.poll(() => infoOf(strict, byName).problem?.code).toBe('TARGET_NOT_ALLOWED')
})

test('metadata addresses have to be allowed by their own', () => {
  expect(createTargets().refuse('169.254.169.254', 80)?.code).toBe('METADATA_ADDRESS')
  expect(createTargets('0.0.0.0/0').refuse('169.254.169.254', 80)?.code).toBe('METADATA_ADDRESS')
  expect(createTargets('169.254.169.254').refuse('169.254.169.254', 80)).toBeUndefined()
  expect(createTargets().refuse('::ffff:169.254.169.254', 80)?.code).toBe('METADATA_ADDRESS')
  expect(createTargets().refuse('127.0.0.1', 80)).toBeUndefined()
})

test.each([
  ...['169.254.170.2', '168.63.129.16', '192.0.0.192', '100.100.100.200'],
  ...['fd00:ec2::254', 'fd00:ec2::23', 'fd20:ce::254', 'fd00:c1::a9fe:a9fe', 'fd00:42::42', 'fe80::1%lo', 'FE80::A9FE:A9FE'],
  // IPv4 in IPv6: mapped, compatible, translated, NAT64 of both prefixes and all lengths, 6to4, Teredo, ISATAP
  ...['::ffff:169.254.169.254', '0:0:0:0:0:ffff:a9fe:a9fe', '::169.254.169.254', '::ffff:0:169.254.169.254'],
  ...['64:ff9b::a9fe:a9fe', '64:ff9b::168.63.129.16', '64:ff9b:1:a9fe:a9:fe00::', '64:ff9b:1:00a9:fe:a9fe::', '64:ff9b:1:0:a9:fea9:fe00:0'],
  ...[
    '64:ff9b:1::169.254.169.254',
    '2002:a9fe:a9fe::1',
    '2001:0:a9fe:a9fe::1',
    '2001:0:102:304::5601:5601',
    '2001:db8::5efe:169.254.169.254',
  ],
])('the metadata address %s is refused unless it is named', (address) => {
  const refusal = { code: 'METADATA_ADDRESS', params: { address } }
  expect(createTargets().refuse(address, 80)).toEqual(refusal)
  expect(createTargets('0.0.0.0/0, ::/0, 64:ff9b::/96').refuse(address, 80)).toEqual(refusal)
})

test.each(['8.8.8.8', '192.0.0.193', '100.100.100.201', '2001:db8::1', 'fd00::1', '64:ff9b::808:808', '2002:808:808::1', '::1', '::'])(
  '%s is no metadata address',
  (address) => expect(createTargets().refuse(address, 80)).toBeUndefined(),
)

test('an address that carries a metadata address needs both in the list', () => {
  expect(createTargets('64:ff9b::/96, 169.254.169.254').refuse('64:ff9b::a9fe:a9fe', 80)).toBeUndefined()
  expect(createTargets('169.254.169.254').refuse('64:ff9b::a9fe:a9fe', 80)?.code).toBe('TARGET_NOT_ALLOWED')
})

test('a name that stands for a metadata address is not dialled', async () => {
  const hub = startHub()
  // The system reads these as 169.254.169.254, as it reads a name.
  for (const host of ['2852039166', '0xa9fea9fe', '0251.0376.0251.0376', '169.254.43518']) {
    const endpoint = open(hub, { kind: 'tcp-client', host, port: 80 })
    await expect.poll(() => infoOf(hub, endpoint).problem).toEqual({ code: 'METADATA_ADDRESS', params: { address: '169.254.169.254' } })
  }
})

test('talks TLS on both sides', async () => {
  const { ca, issue } = createAuthority()
  const hub = startHub()
  const server = open(hub, { kind: 'tcp-server', port: 0, host: '127.0.0.1', tls: issue('localhost') })
  const port = await opened(hub, server)
  expect(JSON.stringify(infoOf(hub, server))).not.toContain('PRIVATE KEY')
  const trusting = open(hub, { kind: 'tcp-client', host: '127.0.0.1', port, tls: { ca, servername: 'localhost' } })
  await expect.poll(() => infoOf(hub, server).peers.length).toBe(1)
  void perform(hub, 'send', { endpoint: trusting, draft: draft('secret') })
  await expect.poll(() => received(hub, server)).toBe('secret')
  const wary = open(hub, { kind: 'tcp-client', host: '127.0.0.1', port, tls: {} })
  await expect.poll(() => infoOf(hub, wary).problem?.code).toBe('TLS_FAILED')
  const socket = connectTls({ host: '127.0.0.1', port, ca, servername: 'localhost' })
  socket.on('error', () => {})
  await once(socket, 'secureConnect')
  socket.destroy()
})

test('sends and receives datagrams, to a target and back to who has sent', async () => {
  const hub = startHub()
  const here = open(hub, { kind: 'udp', localPort: 0, localHost: '127.0.0.1' })
  const port = await opened(hub, here)
  expect(() => perform(hub, 'send', { endpoint: here, draft: draft('x') })).toThrow('NO_TARGET')
  const there = open(hub, { kind: 'udp', localPort: 0, host: '127.0.0.1', port })
  await opened(hub, there)
  void perform(hub, 'send', { endpoint: there, draft: draft('ping') })
  await expect.poll(() => received(hub, here)).toBe('ping')
  void perform(hub, 'send', { endpoint: here, draft: draft('pong') })
  await expect.poll(() => received(hub, there)).toBe('pong')
  expect(() => perform(hub, 'send', { endpoint: here, data: Buffer.alloc(65_508).toString('base64') })).toThrow('DATAGRAM_TOO_LONG')
})

test('hears what is sent to a multicast group', async () => {
  const hub = startHub()
  const group = '239.255.42.99'
  const member = open(hub, { kind: 'udp', localPort: 0, multicast: group, multicastInterface: '127.0.0.1' })
  const port = await opened(hub, member)
  const sender = createSocket('udp4')
  onTestFinished(() => void sender.close())
  sender.bind(0, '127.0.0.1')
  await once(sender, 'listening')
  sender.setMulticastInterface('127.0.0.1')
  await expect
    .poll(() => {
      sender.send('to the group', port, group)
      return received(hub, member)
    })
    .toContain('to the group')
})

test('answers by rules, greets, repeats and counts', async () => {
  const hub = startHub()
  const server = open(hub, { kind: 'tcp-server', port: 0, host: '127.0.0.1' })
  const port = await opened(hub, server)
  void perform(hub, 'rules', {
    endpoint: server,
    rules: [
      { when: { by: 'connect' }, reply: draft('hi ') },
      { when: { by: 'regex', pattern: 'get (\\w+)' }, reply: draft('$1=1'), delayMs: 20 },
    ],
  })
  await using client = await TcpClient.connect(port)
  await client.expect('hi ')
  await client.send('get speed')
  await client.expect('speed=1')
  void perform(hub, 'timer', { endpoint: server, timer: { draft: draft('tick'), periodMs: 10, count: 3 } })
  await client.expect('ticktickticktick'.slice(4))
  await expect.poll(() => infoOf(hub, server).timer).toBeUndefined()
  expect(codes(hub, server)).toContain('TIMER_DONE')
  expect(() => perform(hub, 'rules', { endpoint: server, rules: [{ when: { by: 'regex', pattern: '(' }, reply: draft('') }] })).toThrow(
    'BAD_RULE',
  )
  expect(infoOf(hub, server).rules).toHaveLength(2)
})

test('a file goes out piece by piece, and is cancelled when its sender leaves', async () => {
  const hub = startHub()
  const server = open(hub, { kind: 'tcp-server', port: 0, host: '127.0.0.1' })
  await using client = await TcpClient.connect(await opened(hub, server))
  await expect.poll(() => infoOf(hub, server).peers.length).toBe(1)
  const begin = { endpoint: server, step: 'begin', name: 'a.bin', size: 6 } as const
  const chunk = (text: string) => perform(hub, 'file', { endpoint: server, step: 'chunk', data: Buffer.from(text).toString('base64') })
  void perform(hub, 'file', begin)
  expect(await chunk('abc')).toMatchObject({ sent: 3 })
  await expect(chunk('defg')).rejects.toThrow('FILE_OUT_OF_STEP')
  expect(await chunk('def')).toMatchObject({ sent: 6 })
  await client.expect('abcdef')
  expect(codes(hub, server)).toContain('FILE_DONE')
  const owner = {}
  void perform(hub, 'file', begin, owner)
  hub.leave(owner)
  expect(infoOf(hub, server).file).toBeUndefined()
  expect(codes(hub, server)).toContain('FILE_CANCELLED')
  expect(() => perform(hub, 'file', { ...begin, size: 2 ** 40 })).toThrow('FILE_TOO_LARGE')
})

test('a tap passes on both ways and logs both', async () => {
  await using target = await TcpPeer.listen()
  const hub = startHub()
  const tap = open(hub, { kind: 'tap', port: 0, localHost: '127.0.0.1', host: '127.0.0.1', targetPort: target.port })
  const port = await opened(hub, tap)
  await using device = await TcpClient.connect(port)
  await device.send('question')
  const far = await target.accept()
  await far.expect('question')
  await far.send('answer')
  await device.expect('answer')
  expect([received(hub, tap, 'rx'), received(hub, tap, 'tx')]).toEqual(['question', 'answer'])
  far.socket.end()
  await device.expectClose()
  await expect.poll(() => infoOf(hub, tap).peers.length).toBe(0)
})

test('replays one direction of a log with its pauses', async () => {
  const hub = startHub()
  const server = open(hub, { kind: 'tcp-server', port: 0, host: '127.0.0.1' })
  const port = await opened(hub, server)
  const client = open(hub, { kind: 'tcp-client', host: '127.0.0.1', port })
  await expect.poll(() => infoOf(hub, server).peers.length).toBe(1)
  void perform(hub, 'send', { endpoint: client, draft: draft('a') })
  await expect.poll(() => received(hub, server)).toBe('a')
  await sleep(100)
  void perform(hub, 'send', { endpoint: client, draft: draft('b') })
  await expect.poll(() => received(hub, server)).toBe('ab')
  void perform(hub, 'replay', { endpoint: server, source: { endpoint: server, dir: 'rx' } })
  await expect.poll(() => received(hub, client)).toBe('ab')
  const times = hub
    .find(client)
    .log.slice(0, Infinity)
    .flatMap(({ dir, t }) => (dir === 'rx' ? [t] : []))
  expect(times[1]! - times[0]!).toBeGreaterThan(90_000)
})

test('splits, merges, half-closes and resets as it is told to', async () => {
  const hub = startHub()
  const server = open(hub, { kind: 'tcp-server', port: 0, host: '127.0.0.1' })
  const port = await opened(hub, server)
  await using client = await TcpClient.connect(port)
  await expect.poll(() => infoOf(hub, server).peers.length).toBe(1)
  const sent = () =>
    hub
      .find(server)
      .log.slice(0, Infinity)
      .flatMap(({ dir, data }) => (dir === 'tx' ? [Buffer.from(data!).toString()] : []))
  const send = (text: string) => perform(hub, 'send', { endpoint: server, draft: draft(text) })
  void perform(hub, 'faults', { endpoint: server, faults: { splitBytes: 2, splitDelayMs: 1 } })
  void send('abcde')
  await client.expect('abcde')
  expect(sent()).toEqual(['ab', 'cd', 'e'])
  void perform(hub, 'faults', { endpoint: server, faults: { mergeMs: 30 } })
  void send('f')
  void send('g')
  await client.expect('fg')
  expect(sent().at(-1)).toBe('fg')
  void perform(hub, 'faults', { endpoint: server, faults: {}, now: 'half-close' })
  await client.expectClose()
  const other = connect(port, '127.0.0.1')
  const reset = new Promise<NodeJS.ErrnoException>((resolve) => other.on('error', resolve))
  await expect.poll(() => infoOf(hub, server).peers.some(({ id }) => id.endsWith(`:${other.localPort}`))).toBe(true)
  void perform(hub, 'faults', { endpoint: server, now: 'reset' })
  expect((await reset).code).toBe('ECONNRESET')
})

test('reads as slowly as it is told to', async () => {
  const hub = startHub()
  const server = open(hub, { kind: 'tcp-server', port: 0, host: '127.0.0.1' })
  void perform(hub, 'faults', { endpoint: server, faults: { readBytesPerSecond: 200_000 } })
  await using client = await TcpClient.connect(await opened(hub, server))
  const total = 150_000
  const from = performance.now()
  client.socket.write(Buffer.alloc(total))
  await expect.poll(() => infoOf(hub, server).counters.rxBytes, { timeout: 5_000 }).toBe(total)
  expect(performance.now() - from).toBeGreaterThan(300)
})

test('keeps to its limits', async () => {
  const hub = startHub({ limits: { endpoints: 1, peers: 1, sendBytes: 4 } })
  const server = open(hub, { kind: 'tcp-server', port: 0, host: '127.0.0.1' })
  const port = await opened(hub, server)
  expect(() => open(hub, { kind: 'udp', localPort: 0 })).toThrow('TOO_MANY_ENDPOINTS')
  await using _first = await TcpClient.connect(port)
  await expect.poll(() => infoOf(hub, server).peers.length).toBe(1)
  await using second = await TcpClient.connect(port)
  await second.expectClose()
  expect(codes(hub, server)).toContain('TOO_MANY_PEERS')
  expect(() => perform(hub, 'send', { endpoint: server, draft: draft('12345') })).toThrow('TOO_LONG')
})

test('a log drops its oldest, in entries and in bytes, and tells how many', () => {
  const log = createLog({ entries: 100, bytes: 1_000_000 })
  for (let index = 1; index <= 250; index += 1) log.add('rx', 'p', { data: Buffer.from(`${index}`) })
  expect([log.first, log.last, log.dropped]).toEqual([151, 250, 150])
  expect(log.slice(0, Infinity).map(({ data }) => Buffer.from(data!).toString())).toEqual(
    Array.from({ length: 100 }, (_, at) => `${at + 151}`),
  )
  const small = createLog({ entries: 1_000_000, bytes: 10_000 })
  for (let index = 0; index < 1000; index += 1) small.add('tx', '', { data: Buffer.alloc(1000) })
  expect(small.bytes).toBeLessThanOrEqual(10_000)
  expect(small.last).toBe(1000)
  small.clear()
  expect([small.first, small.last, small.bytes]).toEqual([1001, 1000, 0])
  expect(small.add('note', '', {}).n).toBe(1001)
})

test('cuts a conversation again, with a verdict on every checksum', async () => {
  const hub = startHub()
  const server = open(hub, { kind: 'tcp-server', port: 0, host: '127.0.0.1' })
  await using client = await TcpClient.connect(await opened(hub, server))
  await client.send(Buffer.from('010300000001840A', 'hex'))
  await expect.poll(() => infoOf(hub, server).counters.rxBytes).toBe(8)
  await client.send(Buffer.from('010300000001840B01', 'hex'))
  await expect.poll(() => infoOf(hub, server).counters.rxBytes).toBe(17)
  const view = (await perform(hub, 'view', {
    endpoint: server,
    view: 'framing',
    framing: { kind: 'fixed', length: 8 },
    checksum: { name: 'crc16-modbus', order: 'little' },
  })) as FramingView
  expect(view.frames.map(({ verdict, expected, incomplete }) => [verdict, expected, incomplete])).toEqual([
    ['right', undefined, undefined],
    ['wrong', '84 0A', undefined],
    [undefined, undefined, true],
  ])
})

test('shows what a tcp in would make of it, split characters and useless settings among it', async () => {
  const hub = startHub()
  const server = open(hub, { kind: 'tcp-server', port: 0, host: '127.0.0.1' })
  await using client = await TcpClient.connect(await opened(hub, server))
  const view = (settings: Record<string, string | boolean>) =>
    perform(hub, 'view', { endpoint: server, view: 'node-red', settings }) as Promise<NodeView>
  const hello = Buffer.from('你好\nworld\n')
  await client.send(hello.subarray(0, 4))
  await expect.poll(() => infoOf(hub, server).counters.rxBytes).toBe(4)
  await client.send(hello.subarray(4))
  await expect.poll(() => infoOf(hub, server).counters.rxBytes).toBe(hello.length)
  const lines = await view({ datamode: 'stream', datatype: 'utf8', newline: '\\n' })
  expect(lines.messages.map(({ text }) => text)).toEqual(['你好', 'world'])
  expect(lines.messages[0]!.entries[1] - lines.messages[0]!.entries[0]).toBe(1)
  expect(lines.warnings).toEqual([])
  const cut = await view({ datamode: 'stream', datatype: 'utf8', framing: 'fixed', frameLength: '4' })
  expect(cut.messages[0]!.flags).toEqual(['split-character'])
  expect(cut.warnings.map(({ code }) => code)).toContain('SPLIT_CHARACTERS')
  const raw = await view({ datamode: 'stream', datatype: 'buffer', newline: '\\n', trim: true })
  expect(raw.messages.map(({ data }) => Buffer.from(data!, 'base64').length)).toEqual([4, hello.length - 4])
  expect(raw.warnings.map(({ params }) => params.setting)).toEqual(['newline', 'trim'])
  expect((await view({ datamode: 'stream', framing: 'nonsense' })).problem?.code).toBe('BAD_SETTING')
})

test('sums up for a watcher that is too slow, and the sum is right', async () => {
  const hub = startHub()
  const server = open(hub, { kind: 'tcp-server', port: 0, host: '127.0.0.1' })
  await using client = await TcpClient.connect(await opened(hub, server))
  let buffered = 0
  const events: (ServerEvent | Answer)[] = []
  const sink = { send: (event: ServerEvent | Answer) => void events.push(event), buffered: () => buffered }
  const watcher = createWatcher(hub, sink, { permissions: { read: true, write: true, flows: true }, version: '' })
  onTestFinished(() => watcher.stop())
  await watcher.answer('watch', { endpoint: server })
  buffered = 2 ** 30
  const total = 4 * 1024 * 1024
  await client.send(Buffer.alloc(total))
  await expect.poll(() => infoOf(hub, server).counters.rxBytes).toBe(total)
  await sleep(200)
  expect(events.filter((event) => 'on' in event && event.on === 'entries')).toEqual([])
  buffered = 0
  await expect.poll(() => events.some((event) => 'on' in event && event.on === 'skipped')).toBe(true)
  let seen = 0
  for (const event of events) {
    if (!('on' in event)) continue
    if (event.on === 'skipped') seen += event.rxBytes
    if (event.on === 'entries') for (const { data } of event.entries) seen += Buffer.from(data ?? '', 'base64').length
  }
  expect(seen).toBe(total)
})
