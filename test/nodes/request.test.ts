import { afterAll, beforeAll, expect, test } from 'vitest'
import type { AdminClient } from '../../src/testing/admin-client.ts'
import type { DebugStream } from '../../src/testing/debug-stream.ts'
import type { StartedNodeRedTcpContainer } from '../../src/testing/node-red-tcp-container.ts'
import { describeContainer, newContainer } from '../support/runtimes.ts'
import { TcpPeer } from '../../src/testing/tcp-peer.ts'
import { nextOf } from './defects/defect.ts'
import { flowOf, Tab } from './flow-builder.ts'

const HOST = 'host.docker.internal'

describeContainer('tcp request', () => {
  let nodeRed: StartedNodeRedTcpContainer
  let admin: AdminClient

  beforeAll(async () => {
    nodeRed = await newContainer().start()
    admin = await nodeRed.admin
  })
  afterAll(async () => {
    await nodeRed[Symbol.asyncDispose]()
  })

  /** A tcp request to a peer, with a button for each message. */
  async function deployRequest(
    peer: TcpPeer,
    properties: Record<string, unknown>,
    messages: Record<string, Record<string, unknown>[]>,
  ): Promise<DebugStream> {
    const tab = new Tab('request')
    const request = tab.tcpRequest({ server: HOST, port: String(peer.port), ret: 'string', ...properties }, tab.debug('seen'))
    for (const [name, props] of Object.entries(messages)) tab.inject(name, props, request)
    tab.watch(request)
    await admin.deploy(flowOf(tab))
    return await admin.debug()
  }

  const text = (payload: string, topic = payload) => [
    { p: 'payload', v: payload, vt: 'str' },
    { p: 'topic', v: topic, vt: 'str' },
  ]

  async function seen(debug: DebugStream): Promise<Record<string, unknown>> {
    return JSON.parse(await nextOf(debug, 'seen', 4_000)) as Record<string, unknown>
  }

  test('ten requests in a row are answered one by one, each with its own properties', async () => {
    await using peer = await TcpPeer.listen()
    const names = Array.from({ length: 10 }, (_, index) => `q${index}`)
    await using debug = await deployRequest(
      peer,
      { out: 'char', splitc: '\\n', separate: true },
      Object.fromEntries(names.map((name) => [name, text(`${name}\n`, name)])),
    )
    for (const name of names) await admin.inject(name)
    for (const name of names) {
      const connection = await peer.accept()
      await connection.expect(`${name}\n`)
      await connection.send(`answer to ${name}\n`)
      expect(await seen(debug)).toMatchObject({ topic: name, payload: `answer to ${name}\n` })
    }
  })

  test.each([
    ['after a time', { out: 'time', splitc: '300' }, ['one ', 'two'], 'one two'],
    ['with a character', { out: 'char', splitc: '0x03' }, ['a', 'b\u0003rest'], 'ab\u0003'],
    ['after a number of bytes', { out: 'count', splitc: '5' }, ['123', '4567'], '12345'],
  ])('a reply is whole %s', async (_name, properties, chunks, expected) => {
    await using peer = await TcpPeer.listen()
    await using debug = await deployRequest(peer, properties, { ask: text('ask') })
    await admin.inject('ask')
    const connection = await peer.accept()
    await connection.expect('ask')
    for (const chunk of chunks) await connection.send(chunk)
    expect(await seen(debug)).toMatchObject({ payload: expected, topic: 'ask' })
    await connection.expectClose()
  })

  test('a connection that stays passes on all that comes, and makes a new one when the peer has ended', async () => {
    await using peer = await TcpPeer.listen()
    await using debug = await deployRequest(peer, { out: 'sit', newline: '\\n' }, { ask: text('ask') })
    await admin.inject('ask')
    const first = await peer.accept()
    await first.expect('ask')
    await first.send('one\ntwo\nrest')
    expect(await seen(debug)).toMatchObject({ payload: 'one' })
    expect(await seen(debug)).toMatchObject({ payload: 'two' })
    first.end()
    expect(await seen(debug)).toMatchObject({ payload: 'rest' })
    await first.expectClose()
    await admin.inject('ask')
    await (await peer.accept()).expect('ask')
  })

  test.each([
    ['all', { v: 'true', vt: 'bool' }],
    ['nothing that is connected', { v: 'nobody:1', vt: 'str' }],
    ['nonsense', { v: '42', vt: 'num' }],
  ])('msg.reset for %s never throws', async (which, value) => {
    await using peer = await TcpPeer.listen()
    await using debug = await deployRequest(peer, { out: 'sit' }, { ask: text('ask'), reset: [{ p: 'reset', ...value }] })
    await admin.inject('reset')
    expect(await nextOf(debug, 'caught', 300)).toBe('nothing')
    await admin.inject('ask')
    const connection = await peer.accept()
    await connection.expect('ask')
    await admin.inject('reset')
    if (which === 'all') await connection.expectClose()
    else await connection.expectSilence()
  })

  test('no answer in time is an error, and the next request is a new try', async () => {
    await using peer = await TcpPeer.listen()
    await using debug = await deployRequest(peer, { out: 'char', splitc: '\\n', replyTimeout: '400' }, { ask: text('ask') })
    await admin.inject('ask')
    await (await peer.accept()).expect('ask')
    expect(await nextOf(debug, 'caught')).toMatch(/has not answered within 400 ms/)
    await admin.inject('ask')
    const again = await peer.accept()
    await again.send('late but fine\n')
    expect(await seen(debug)).toMatchObject({ payload: 'late but fine\n' })
  })

  test('an end without a reply is an error', async () => {
    await using peer = await TcpPeer.listen()
    await using debug = await deployRequest(peer, { out: 'char', splitc: '\\n' }, { ask: text('ask') })
    await admin.inject('ask')
    const connection = await peer.accept()
    await connection.expect('ask')
    connection.end()
    expect(await nextOf(debug, 'caught')).toMatch(/ended the connection without a reply/)
  })

  test('a reply without an end is bounded', async () => {
    await using peer = await TcpPeer.listen()
    await using debug = await deployRequest(peer, { out: 'char', splitc: '\\n', maxReply: '1000' }, { ask: text('ask') })
    await admin.inject('ask')
    const connection = await peer.accept()
    await connection.send('x'.repeat(5_000))
    expect(await nextOf(debug, 'caught')).toMatch(/longer than the limit of 1000 bytes/)
    await connection.expectClose()
  })
})
