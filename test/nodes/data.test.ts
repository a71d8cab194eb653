import { afterAll, beforeAll, expect, test } from 'vitest'
import type { AdminClient } from '../../src/testing/admin-client.ts'
import type { StartedNodeRedTcpContainer } from '../../src/testing/node-red-tcp-container.ts'
import { describeContainer, newContainer } from '../support/runtimes.ts'
import { nextOf, open } from './defects/defect.ts'
import { flowOf, Tab } from './flow-builder.ts'

const hex = (text: string) => Buffer.from(text.replaceAll(' ', ''), 'hex')
const 你好 = { gbk: 'c4e3bac3', big5: 'a741a66e', 'utf-16le': '604f7d59' }

describeContainer('received and sent data', () => {
  let nodeRed: StartedNodeRedTcpContainer
  let admin: AdminClient

  beforeAll(async () => {
    nodeRed = await newContainer().withExposedPorts(9504).start()
    admin = await nodeRed.admin
  })
  afterAll(async () => {
    await nodeRed[Symbol.asyncDispose]()
  })

  /** What a tcp in with these properties makes of bytes that arrive one by one; buffers are seen as hex. */
  async function framesOf(properties: Record<string, unknown>, bytes: Buffer, count: number): Promise<string[]> {
    const tab = new Tab('frames')
    tab.tcpIn({ port: '9504', ...properties }, tab.debug('seen', 'payload'))
    await admin.deploy(flowOf(tab))
    await using debug = await admin.debug()
    await using client = await open(nodeRed, 9504)
    for (const byte of bytes) await client.send(Buffer.from([byte]))
    const seen: string[] = []
    while (seen.length < count) seen.push(await nextOf(debug, 'seen', 2_000))
    return seen
  }

  test.each([
    ['fixed length', { framing: 'fixed', frameLength: '3' }, '010203 040506', ['010203', '040506']],
    ['one byte of length', { framing: 'length', lengthSize: '1' }, '02aabb 00 01cc', ['02aabb', '00', '01cc']],
    ['length without its header', { framing: 'length', lengthSize: '2', lengthHeader: false }, '0002aabb 0001cc', ['aabb', 'cc']],
    [
      'length behind an offset, little-endian',
      { framing: 'length', lengthOffset: '1', lengthSize: '2', lengthEndian: 'little' },
      'ff0100aa ff0200bbcc',
      ['ff0100aa', 'ff0200bbcc'],
    ],
    [
      'length that counts more than the body',
      { framing: 'length', lengthSize: '1', lengthAdjust: '-1' },
      '03aabb 02cc',
      ['03aabb', '02cc'],
    ],
    [
      'Modbus TCP',
      { framing: 'length', lengthOffset: '4', lengthSize: '2' },
      '000100000006010300000002 000200000003010302',
      ['000100000006010300000002', '000200000003010302'],
    ],
    ['start and end', { framing: 'marker', frameStart: '0x02', frameEnd: '0x03' }, '9902616203 02630399', ['6162', '63']],
    ['start and end kept', { framing: 'marker', frameStart: '0x02', frameEnd: '0x03', trim: true }, '02616203', ['02616203']],
    ['equal marks', { framing: 'marker', frameStart: '0x7E', frameEnd: '0x7E' }, '01027e7eaabb7e7eccdd7eee7e', ['aabb', 'ccdd', 'ee']],
    [
      'a check byte after the end',
      { framing: 'marker', frameStart: '0x02', frameEnd: '0x03', trailer: '1', trim: true },
      '0261620300 0263030202640303',
      ['0261620300', '02630302', '02640303'],
    ],
    ['delimiter in bytes', { framing: 'delimiter', newline: '0x0D0A' }, '610d62 0d0a 63 0d0a', ['610d62', '63']],
    ['delimiter and hex text', { framing: 'delimiter', newline: '\\n', datatype: 'hex' }, 'ff00 0a', ['ff00']],
    ['delimiter and Base64', { framing: 'delimiter', newline: '\\n', datatype: 'base64' }, '616263 64 0a', ['YWJjZA==']],
  ])('%s cuts frames, however they arrive', async (_name, properties, bytes, frames) => {
    expect(await framesOf(properties, hex(bytes), frames.length)).toEqual(frames)
  })

  test('a gap ends a frame', async () => {
    const tab = new Tab('gap')
    tab.tcpIn({ port: '9504', framing: 'gap', frameGap: '150', datatype: 'utf8' }, tab.debug('seen', 'payload'))
    await admin.deploy(flowOf(tab))
    await using debug = await admin.debug()
    await using client = await open(nodeRed, 9504)
    for (const part of ['one ', 'and ', 'the same']) await client.send(part)
    expect(await nextOf(debug, 'seen')).toBe('one and the same')
    await client.send('another')
    expect(await nextOf(debug, 'seen')).toBe('another')
  })

  test.each(Object.entries(你好))('text in %s is right, byte by byte', async (encoding, bytes) => {
    const line = Buffer.concat([hex(bytes), encoding === 'utf-16le' ? hex('0a00') : hex('0a')])
    expect(await framesOf({ datatype: 'utf8', encoding, newline: '\\n' }, line, 1)).toEqual(['你好'])
    // How many chunks they arrive in is up to the network.
    expect((await framesOf({ datatype: 'utf8', encoding }, hex(bytes), 2)).join('').replace('nothing', '')).toBe('你好')
  })

  test.each(Object.entries(你好))('text is sent in %s', async (encoding, bytes) => {
    const tab = new Tab('send')
    tab.tcpIn({ port: '9504' })
    tab.text('send', '你好', tab.tcpOut({ encoding }))
    await admin.deploy(flowOf(tab))
    await using client = await open(nodeRed, 9504)
    await admin.inject('send')
    await client.expect(hex(bytes))
  })

  test('an end in the middle of a frame is an error with what had come', async () => {
    const tab = new Tab('cut')
    tab.tcpIn({ port: '9504', framing: 'fixed', frameLength: '10', datatype: 'hex' })
    tab.add('catch', { scope: null, uncaught: false }, tab.debug('caught'))
    await admin.deploy(flowOf(tab))
    await using debug = await admin.debug()
    await using client = await open(nodeRed, 9504)
    await client.send('four')
    client.end()
    const caught = JSON.parse(await nextOf(debug, 'caught')) as Record<string, unknown>
    expect(caught).toMatchObject({
      payload: '666f7572',
      ip: expect.any(String),
      port: expect.any(Number),
      error: { message: expect.stringMatching(/ended in the middle of a frame/) },
    })
  })

  test('a length field out of step is an error that names what was read, and the next frame is found', async () => {
    const tab = new Tab('step')
    const length = { framing: 'length', lengthStart: '0xAA55', lengthOffset: '2', lengthSize: '1' }
    tab.tcpIn({ port: '9504', ...length }, tab.debug('seen', 'payload'))
    tab.watch()
    await admin.deploy(flowOf(tab))
    await using debug = await admin.debug()
    await using client = await open(nodeRed, 9504)
    await client.send(hex('aa550101 ff'))
    expect(await nextOf(debug, 'seen', 5_000)).toBe('aa550101')
    expect(await nextOf(debug, 'caught', 5_000)).toMatch(
      /:\d+: a frame begins with AA 55, but FF was read; bytes are skipped up to the next frame$/,
    )
    await client.send(hex('0102 aa55021122'))
    expect(await nextOf(debug, 'seen', 5_000)).toBe('aa55021122')
  })

  test.each([
    [{ framing: 'marker', frameStart: 'zz' }, /bytes|marker|start/i],
    [{ framing: 'marker', frameStart: '0x7E', frameEnd: '0x7E', trailer: '1' }, /nobody could tell them/],
    [{ framing: 'length', lengthStart: '0xAA55', lengthOffset: '1' }, /the length field at offset 1 stands in the 2 start bytes/],
    [{ framing: 'delimiter' }, /no delimiter is set/],
    [{ framing: 'fixed', frameLength: '0' }, /frameLength: "0" is not a whole number from 1/],
    [{ framing: 'spiral' }, /"spiral" is not one of/],
    [{ encoding: 'klingon', datatype: 'utf8' }, /encoding: "klingon" is not known/],
    [{ maxConnections: 'many' }, /maxConnections: "many" is not a whole number/],
    [{ allow: '10.0.0.0/99' }, /10\.0\.0\.0\/99/],
    [{ bind: 'eth0' }, /bind: "eth0" is not an IP address/],
  ])('a mistake in the properties stops the node and names it: %j', async (properties, message) => {
    const tab = new Tab('mistake')
    tab.tcpIn({ port: '9504', ...properties })
    tab.watch()
    await admin.deploy([])
    await using debug = await admin.debug()
    await admin.deploy(flowOf(tab))
    expect(await nextOf(debug, 'caught')).toMatch(message)
  })
})
