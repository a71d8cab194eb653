import { expect, test } from 'vitest'
import { Requester } from '../../src/tcp/requester.ts'
import type { ReplyEnd } from '../../src/tcp/requester/reply.ts'
import { TcpPeer } from '../../src/testing/tcp-peer.ts'
import { PASSED_ON } from './support/listening.ts'

const MANY = 1_000_000
const STAY: ReplyEnd = { kind: 'stay', intake: PASSED_ON }
const ONE_BYTE: ReplyEnd = { kind: 'count', bytes: 1 }

/** `onEnded` is called when a connection has ended and is not gone yet. */
function createRequester(device: TcpPeer, { end, separate = false }: { end: ReplyEnd; separate?: boolean }, onEnded: () => void) {
  const errors: (Error | undefined)[] = []
  const options = {
    host: '127.0.0.1',
    port: device.port,
    tls: undefined,
    end,
    maxReply: MANY,
    maxWaiting: 10,
    writeLimit: { bytes: MANY, disconnect: true },
    patience: { timeoutMs: undefined, othersWaitMs: 20_000 },
    separate,
  }
  const replies: string[] = []
  const requester = new Requester<string>(options, {
    onReply: (about, payload) => replies.push(`${about}: ${String(payload)}`),
    onFailure() {},
    onConnected() {},
    onEnded: (state) => state !== 'failed' && onEnded(),
    onWaiting() {},
    onIdle() {},
  })
  const send = (text: string) => requester.send({ about: text, bytes: Buffer.from(text), done: (error) => errors.push(error) })
  return { requester, send, errors, replies }
}

test('over a connection that stays, all that came while the last one ended is sent', async () => {
  await using device = await TcpPeer.listen()
  let sendMore = () => ['b', 'c', 'd'].forEach(send)
  const { requester, send, errors } = createRequester(device, { end: STAY }, () => {
    sendMore()
    sendMore = () => {}
  })
  send('a')
  const first = await device.accept()
  await first.expect('a')
  first.end()
  const second = await device.accept()
  await second.expect('bcd')
  expect(requester.waiting).toBe(0)
  send('e')
  await second.expect('e')
  requester.stop('the test ends')
  expect(errors).toEqual(Array.from({ length: 5 }))
})

test('what comes while the last connection ends goes out together, as while one is made', async () => {
  await using device = await TcpPeer.listen()
  let sendMore = () => ['b', 'c', 'd'].forEach(send)
  const { requester, send, replies } = createRequester(device, { end: ONE_BYTE }, () => {
    sendMore()
    sendMore = () => {}
  })
  send('a')
  const first = await device.accept()
  await first.expect('a')
  await first.send('1')
  const second = await device.accept()
  await second.expect('bcd')
  await second.send('2')
  await second.expectClose()
  expect(replies).toEqual(['a: 1', 'd: 2'])
  requester.stop('the test ends')
})

test.each([
  { case: 'those that waited for their turn before', separate: false, before: ['b', 'c'], atEnd: ['d'] },
  { case: 'those of a node that wants a connection for each', separate: true, before: [], atEnd: ['b', 'c', 'd'] },
])('one after the other: $case', async ({ separate, before, atEnd }) => {
  await using device = await TcpPeer.listen()
  let sendMore = () => atEnd.forEach(send)
  const { requester, send, replies } = createRequester(device, { end: ONE_BYTE, separate }, () => {
    sendMore()
    sendMore = () => {}
  })
  send('a')
  for (const [index, asked] of ['a', 'b', 'c', 'd'].entries()) {
    const connection = await device.accept()
    await connection.expect(asked)
    if (index === 0) before.forEach(send)
    await connection.send(asked.toUpperCase())
    await connection.expectClose()
  }
  expect(replies).toEqual(['a: A', 'b: B', 'c: C', 'd: D'])
  requester.stop('the test ends')
})

test('a device that breaks connections off while they are made is there: each request has a try of its own', async () => {
  await using device = await TcpPeer.listen()
  const options = {
    host: '127.0.0.1',
    port: device.port,
    // The handshake is a part of it.
    tls: {},
    end: { kind: 'count' as const, bytes: 1 },
    maxReply: MANY,
    maxWaiting: 10,
    writeLimit: { bytes: MANY, disconnect: true },
    patience: { timeoutMs: undefined, othersWaitMs: 20_000 },
    separate: true,
  }
  const errors: (string | undefined)[] = []
  const nothing = () => {}
  const requester = new Requester<string>(options, {
    onReply: nothing,
    onFailure: nothing,
    onConnected: nothing,
    onEnded: nothing,
    onWaiting: nothing,
    onIdle: nothing,
  })
  for (const about of ['a', 'b', 'c']) requester.send({ about, bytes: Buffer.from(about), done: (error) => errors.push(error?.message) })
  for (let count = 1; count <= 3; count += 1) {
    const client = await device.accept()
    client.reset()
    await expect.poll(() => errors.length).toBe(count)
  }
  expect(errors).toEqual(Array.from({ length: 3 }, () => expect.stringMatching(/^cannot connect to 127\.0\.0\.1:/) as string))
})
