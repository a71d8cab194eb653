import { expect, test } from 'vitest'
import { Requester } from '../../tcp/requester.ts'
import { TcpPeer } from '../support/tcp-peer.ts'
import { PASSED_ON } from './support/listening.ts'

const MANY = 1_000_000

test('over a connection that stays, all that came while the last one ended is sent', async () => {
  await using device = await TcpPeer.listen()
  const options = {
    host: '127.0.0.1',
    port: device.port,
    tls: undefined,
    end: { kind: 'stay' as const, intake: PASSED_ON },
    maxReply: MANY,
    maxWaiting: 10,
    writeLimit: { bytes: MANY, disconnect: true },
    patience: { timeoutMs: undefined, othersWaitMs: 20_000 },
    separate: false,
  }
  const errors: (Error | undefined)[] = []
  const send = (text: string) => requester.send({ about: text, bytes: Buffer.from(text), done: (error) => errors.push(error) })
  const requester: Requester<string> = new Requester<string>(options, {
    onReply() {},
    onFailure() {},
    onConnected() {},
    // The first has ended, and is not gone yet.
    onEnded: (state) => state === 'disconnected' && ['b', 'c', 'd'].forEach(send),
    onWaiting() {},
    onIdle() {},
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
