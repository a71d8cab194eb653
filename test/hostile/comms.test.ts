import { afterAll, beforeAll, expect, test } from 'vitest'
import { EmbeddedNodeRedTcp, type StartedEmbeddedNodeRedTcp } from '../../src/testing/embedded-node-red-tcp.ts'
import { ask, connectTo, handshake } from '../../src/testing/raw-http.ts'

const MASK = Buffer.alloc(4)

let nodeRed: StartedEmbeddedNodeRedTcp
let cookie: string

beforeAll(async () => {
  nodeRed = await new EmbeddedNodeRedTcp().start()
  const body = JSON.stringify({ username: 'admin', password: 'test password' })
  const headers = { 'content-type': 'application/json' }
  cookie = (await ask(nodeRed.getEditorUrl(), '/auth/token', { method: 'POST', body, headers })).headers['set-cookie']![0]!.split(';')[0]!
})
afterAll(async () => await nodeRed[Symbol.asyncDispose]())

function frame(text: string): Buffer {
  const head = Buffer.from([0x81, 0xfe, 0, 0])
  head.writeUInt16BE(text.length, 2)
  return Buffer.concat([head, MASK, Buffer.from(text)])
}

const topics = ['multiplayer/connect', 'multiplayer/disconnect', 'multiplayer/location', 'nothing']
test.each([
  ...['null', '5', '"x"', '[]', '{', '[[]]', 'true'],
  ...['{"a":1}', '5', '["x"]', '"a{99999999999}"', '"a{2,1}"', 'true'].map((topic) => `{"subscribe":${topic}}`),
  `{"subscribe":"${'+'.repeat(60)}"}`,
  ...['{"a":1}', '[1]', '5', 'true', '"x"', '"__proto__"'].map((auth) => `{"auth":${auth}}`),
  ...['{"a":1}', '5', '[[]]'].map((topic) => `{"topic":${topic},"data":null}`),
  ...topics.flatMap((topic) => ['null', '5', '{}', '{"session":null}', '[]'].map((data) => `{"topic":"${topic}","data":${data}}`)),
])('%s from an editor ends nothing', async (text) => {
  await using client = await connectTo(nodeRed.getEditorUrl())
  await client.send(handshake('/comms', { Cookie: cookie }))
  await client.expect('HTTP/1.1 101')
  await client.send(frame(text))
  await client.send(frame('{"subscribe":"status/#"}'))
  await using device = await nodeRed.tcp(9503)
  await device.send('x')
  await device.expect('x')
  expect((await ask(nodeRed.getEditorUrl(), '/flows', { headers: { cookie } })).status).toBe(200)
})

test('the log has no line for each', () => {
  expect(nodeRed.log.split('\n').filter((line) => line.includes('was left out')).length).toBe(1)
})
