import { afterAll, beforeAll, expect, test } from 'vitest'
import type { AdminClient } from '../../src/testing/admin-client.ts'
import { logsOf } from '../support/containers.ts'
import type { DebugStream } from '../../src/testing/debug-stream.ts'
import { freePort } from '../../src/testing/free-port.ts'
import type { StartedNodeRedTcpContainer } from '../../src/testing/node-red-tcp-container.ts'
import { describeContainer, newContainer } from '../support/runtimes.ts'
import { TcpPeer } from '../../src/testing/tcp-peer.ts'
import { firstOf, nextOf, open } from './defects/defect.ts'
import { flowOf, Tab } from './flow-builder.ts'

const HOST = 'host.docker.internal'

describeContainer('sending', () => {
  let nodeRed: StartedNodeRedTcpContainer
  let admin: AdminClient

  beforeAll(async () => {
    nodeRed = await newContainer().withExposedPorts(9504, 9505).start()
    admin = await nodeRed.admin
  })
  afterAll(async () => {
    await nodeRed[Symbol.asyncDispose]()
  })

  /** A tcp out client with a button for each text, and what becomes of the messages. */
  async function deployClient(port: number, properties: Record<string, unknown>, texts: string[]): Promise<DebugStream> {
    const tab = new Tab('client')
    const out = tab.tcpOut({ beserver: 'client', host: HOST, port: String(port), name: 'to the device', ...properties })
    for (const text of texts) tab.text(text, text, out)
    tab.watch(out)
    await admin.deploy(flowOf(tab))
    return await admin.debug()
  }

  test('messages wait for the peer in order, and complete once they are sent', async () => {
    const port = await freePort()
    await using debug = await deployClient(port, { offline: 'queue' }, ['one', 'two', 'three'])
    for (const text of ['one', 'two', 'three']) await admin.inject(text)
    expect(await firstOf(debug, ['completed', 'caught'], 400)).toBe('nothing')
    await using peer = await TcpPeer.listen(port)
    await (await peer.accept()).expect('onetwothree')
    for (const text of ['one', 'two', 'three']) expect(await nextOf(debug, 'completed')).toBe(text)
  })

  test('all that has waited is sent before a connection is ended after its message', async () => {
    const port = await freePort()
    await using debug = await deployClient(port, { offline: 'queue', end: true }, ['one', 'two', 'three'])
    for (const text of ['one', 'two', 'three']) await admin.inject(text)
    await using peer = await TcpPeer.listen(port)
    const connection = await peer.accept()
    await connection.expect('onetwothree')
    await connection.expectClose()
    for (const text of ['one', 'two', 'three']) expect(await nextOf(debug, 'completed')).toBe(text)
  })

  test('what does not fit in the queue, or waits too long, is an error', async () => {
    const port = await freePort()
    await using debug = await deployClient(port, { offline: 'queue', queueMessages: '1', queueAge: '1' }, ['one', 'two'])
    await admin.inject('one')
    await admin.inject('two')
    expect(await nextOf(debug, 'caught')).toMatch(/queue is full \(1 of 1 messages, 3 of \d+ bytes\): 3 bytes were not sent/)
    expect(await nextOf(debug, 'caught', 3_000)).toMatch(/3 bytes were not sent within 1 s: there was no connection/)
  })

  test('without a queue it is an error, or nothing where that is wanted', async () => {
    const port = await freePort()
    {
      await using debug = await deployClient(port, {}, ['one'])
      await admin.inject('one')
      expect(await nextOf(debug, 'caught')).toBe('not connected, 3 bytes were not sent')
    }
    await using debug = await deployClient(port, { offline: 'drop' }, ['one'])
    await admin.inject('one')
    expect(await firstOf(debug, ['completed', 'caught'])).toBe('completed')
  })

  test('a peer that is not there is one line in the log, however often it is tried', async () => {
    const port = await freePort()
    await using debug = await deployClient(port, {}, [])
    await nextOf(debug, 'nothing comes', 2_500)
    const lines = (await logsOf(nodeRed.getId())).split('\n').filter((line) => line.includes(`${HOST}:${port}`))
    expect(lines).toEqual([
      expect.stringContaining('connecting to'),
      expect.stringMatching(/\[warn\] \[tcp out:to the device\] cannot connect to .*ECONNREFUSED/),
    ])
  })

  test('a reply without _session goes to its own tab, to all, or to nobody', async () => {
    const [one, two] = [new Tab('one'), new Tab('two')]
    one.tcpIn({ port: '9504' })
    two.tcpIn({ port: '9505' })
    one.text('to this tab', 'tab', one.tcpOut({}))
    one.text('to all', 'all', one.tcpOut({ scope: 'all' }))
    one.text('to nobody', 'nobody', one.tcpOut({ scope: 'none' }))
    one.watch()
    await admin.deploy(flowOf(one, two))
    await using debug = await admin.debug()
    await using own = await open(nodeRed, 9504)
    await using other = await open(nodeRed, 9505)
    await admin.inject('to this tab')
    await own.expect('tab')
    await admin.inject('to all')
    await own.expect('all')
    await other.expect('all')
    await admin.inject('to nobody')
    expect(await nextOf(debug, 'caught')).toBe('the message has no _session, so it is a reply to nobody')
    await own.expectSilence()
    await other.expectSilence(1)
  })

  test('an instance of a subflow answers its own clients only', async () => {
    const sub = { id: 'sub1', type: 'subflow', name: 'echo', in: [], out: [], env: [{ name: 'PORT', type: 'str', value: '' }] }
    const inside = new Tab('sub1')
    inside.nodes.length = 0
    inside.tcpIn(
      { port: '${PORT}', datatype: 'utf8', newline: '\\n' },
      inside.add('change', { rules: [{ t: 'delete', p: '_session', pt: 'msg' }] }, inside.tcpOut({})),
    )
    const tab = new Tab('tab')
    for (const port of ['9504', '9505']) tab.add('subflow:sub1', { env: [{ name: 'PORT', value: port, type: 'str' }] })
    await admin.deploy([sub, ...inside.nodes.map((node) => ({ ...node, z: 'sub1' })), ...flowOf(tab)])
    await using own = await open(nodeRed, 9504)
    await using other = await open(nodeRed, 9505)
    await own.send('who hears this?\n')
    await own.expect('who hears this?')
    await other.expectSilence()
  })

  test('a reply in a subflow without clients of its own goes to those of the tab, of an outer subflow first', async () => {
    const inner = { id: 'inner', type: 'subflow', name: 'answer', in: [{ x: 0, y: 0, wires: [{ id: 'inner-1' }] }], out: [] }
    const outer = { id: 'outer', type: 'subflow', name: 'around', in: [{ x: 0, y: 0, wires: [{ id: 'outer-1' }] }], out: [] }
    const answer = { id: 'inner-1', z: 'inner', type: 'tcp out', beserver: 'reply', x: 1, y: 1, wires: [] }
    const within = { id: 'outer-1', z: 'outer', type: 'subflow:inner', x: 1, y: 1, wires: [] }
    const [one, two] = [new Tab('one'), new Tab('two')]
    one.tcpIn({ port: '9504' })
    two.tcpIn({ port: '9505' })
    one.text('nested', 'for the tab', one.add('subflow:outer', {}))
    one.text('direct', ', also', one.add('subflow:inner', {}))
    await admin.deploy([inner, outer, answer, within, ...flowOf(one, two)])
    await using own = await open(nodeRed, 9504)
    await using other = await open(nodeRed, 9505)
    await admin.inject('nested')
    await own.expect('for the tab')
    await admin.inject('direct')
    await own.expect(', also')
    await other.expectSilence()
    const sessions = (await (await fetch(`${nodeRed.getStatusUrl()}/sessions`)).json()) as { usedBy?: { flow: string } }[]
    expect(sessions.map(({ usedBy }) => usedBy?.flow)).toContain('one')
  })

  test.each([
    ['a bare id', '"4f2a"', 'str', /^msg\._session is the text "4f2a", so it says nobody to reply to: set it to \{"type":"tcp","id":"…"\}/],
    ['an object without a type', '{"id":"4f2a"}', 'json', /^msg\._session is of type object without a type and an id/],
    ['a session that is closed', '{"type":"tcp","id":"4f2a"}', 'json', /^the TCP session 4f2a is closed/],
  ])('%s as _session is an error that says what is wanted', async (_name, value, type, error) => {
    const tab = new Tab('session')
    const ref = { p: '_session', v: type === 'str' ? '4f2a' : value, vt: type }
    tab.inject('reply', [{ p: 'payload', v: 'x', vt: 'str' }, ref], tab.tcpOut({}))
    tab.inject('reset', [{ p: 'reset', v: 'true', vt: 'bool' }, ref], tab.tcpOut({}))
    tab.watch()
    await admin.deploy(flowOf(tab))
    await using debug = await admin.debug()
    for (const name of ['reply', 'reset']) {
      await admin.inject(name)
      expect(await nextOf(debug, 'caught', 5_000)).toMatch(error)
    }
  })

  test('strings of hex digits are sent as the bytes that they stand for', async () => {
    await using peer = await TcpPeer.listen()
    await using debug = await deployClient(peer.port, { textForm: 'hex' }, ['01 03 0a', '0x01,0x7F', '01 0G'])
    const connection = await peer.accept()
    await admin.inject('01 03 0a')
    await admin.inject('0x01,0x7F')
    await connection.expect(Buffer.from([0x01, 0x03, 0x0a, 0x01, 0x7f]))
    await admin.inject('01 0G')
    expect(await nextOf(debug, 'caught')).toBe('the payload is not pairs of hex digits such as "01 03 0A": "G" stands at character 5')
  })

  test('numbers and booleans are sent as text, null as nothing', async () => {
    const tab = new Tab('kinds')
    tab.tcpIn({ port: '9504' })
    const out = tab.tcpOut({})
    tab.inject('number', [{ p: 'payload', v: '21.5', vt: 'num' }], out)
    tab.inject('boolean', [{ p: 'payload', v: 'true', vt: 'bool' }], out)
    tab.inject('null', [{ p: 'payload', v: 'null', vt: 'json' }], out)
    await admin.deploy(flowOf(tab))
    await using client = await open(nodeRed, 9504)
    for (const name of ['number', 'null', 'boolean']) await admin.inject(name)
    await client.expect('21.5true')
    await client.expectSilence()
  })
})
