import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { expect, onTestFinished, test, vi } from 'vitest'
import { createFramer } from '../../src/tcp/framing/create-framer.ts'
import { FrameTooLongError, type Framer } from '../../src/tcp/framing/framing.ts'
import { feed, pull, tailOf } from './support/framers.ts'

const GAP_MS = 20

function openGap(onReady: () => void, maxFrame = 1024): Framer {
  const framer = createFramer({ framing: { kind: 'gap', ms: GAP_MS }, maxFrame, onReady })
  onTestFinished(() => framer.stop())
  return framer
}

test('gives a frame when nothing has come for so long, and says so', async () => {
  const ready = vi.fn()
  const framer = openGap(ready)
  expect(feed(framer, ['a', 'b'])).toEqual([])
  await expect.poll(() => ready.mock.calls.length).toBe(1)
  framer.push(Buffer.from('c'))
  expect(pull(framer)).toEqual(['ab'])
  await expect.poll(() => ready.mock.calls.length).toBe(2)
  expect(pull(framer)).toEqual(['c'])
})

test('every chunk starts the gap anew', () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setImmediate', 'clearImmediate'] })
  onTestFinished(() => void vi.useRealTimers())
  const ready = vi.fn()
  const framer = openGap(ready)
  for (let count = 0; count < 5; count += 1) {
    framer.push(Buffer.from('a'))
    vi.advanceTimersByTime(GAP_MS - 1)
  }
  expect(ready).not.toHaveBeenCalled()
  vi.advanceTimersByTime(2)
  expect(ready).toHaveBeenCalledOnce()
  expect(pull(framer)).toEqual(['aaaaa'])
})

test('keeps frames apart that are pulled late', async () => {
  const ready = vi.fn()
  const framer = openGap(ready)
  for (const [count, text] of ['a', 'b', 'c'].entries()) {
    framer.push(Buffer.from(text))
    await expect.poll(() => ready.mock.calls.length).toBe(count + 1)
  }
  expect(pull(framer)).toEqual(['a', 'b', 'c'])
  expect(framer.size).toBe(0)
})

test('does not take time in which the process was busy for a gap', async () => {
  const ready = vi.fn()
  const framer = openGap(ready)
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const sender = connect((server.address() as AddressInfo).port, '127.0.0.1')
  const [receiver] = (await once(server, 'connection')) as [Socket]
  onTestFinished(() => {
    sender.destroy()
    receiver.destroy()
    server.close()
  })
  sender.write('a')
  framer.push(((await once(receiver, 'data')) as [Buffer])[0])
  receiver.on('data', (chunk: Buffer) => framer.push(chunk))
  sender.write('b')
  const busyUntil = Date.now() + 3 * GAP_MS
  while (Date.now() < busyUntil);
  await expect.poll(() => ready.mock.calls.length).toBe(1)
  expect(pull(framer)).toEqual(['ab'])
})

test('a frame that ended within the limit is given before a longer one is refused', async () => {
  const ready = vi.fn()
  const framer = openGap(ready, 2)
  framer.push(Buffer.from('ab'))
  await expect.poll(() => ready.mock.calls.length).toBe(1)
  framer.push(Buffer.from('cde'))
  const frames: string[] = []
  expect(() => pull(framer, frames)).toThrow(new FrameTooLongError(2))
  expect(frames).toEqual(['ab'])
})

test('the end completes a frame', () => {
  const framer = openGap(() => {})
  framer.push(Buffer.from('ab'))
  expect(tailOf(framer)).toEqual({ text: 'ab', complete: true })
  expect(tailOf(framer)).toBeUndefined()
})

test.each<[string, (framer: Framer) => void]>([
  ['stop', (framer) => framer.stop()],
  ['release', (framer) => framer.release()],
  ['flush', (framer) => framer.flush()],
])('gives nothing after %s', async (_name, end) => {
  const ready = vi.fn()
  const framer = openGap(ready)
  framer.push(Buffer.from('ab'))
  end(framer)
  await delay(3 * GAP_MS)
  expect(ready).not.toHaveBeenCalled()
  expect(pull(framer)).toEqual([])
})
