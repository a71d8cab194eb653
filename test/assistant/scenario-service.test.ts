import { expect, test } from 'vitest'
import { createHub } from '../../assistant/engine/hub.ts'
import { createWatcher } from '../../assistant/engine/watcher.ts'
import type { ScenarioEvent } from '../../assistant/scenario/service.ts'
import type { Answer, ServerEvent } from '../../assistant/shared/protocol.ts'
import { freePort } from '../support/free-port.ts'

/** A page that plays scenarios. */
function open() {
  const hub = createHub()
  const heard: (ServerEvent | Answer)[] = []
  const sink = { send: (message: ServerEvent | Answer) => void heard.push(message), buffered: () => 0 }
  const watcher = createWatcher(hub, sink, { permissions: { read: true, write: true }, version: '1' })
  const events = () => heard.flatMap((message) => ('on' in message && message.on === 'scenario' ? [message.event as ScenarioEvent] : []))
  return {
    play: async (text: string) => (await watcher.answer({ id: 1, do: 'scenario', text })) as { run: string },
    stop: async (run: string) => await watcher.answer({ id: 2, do: 'scenario', stop: run }),
    steps: () => events().flatMap((event) => ('step' in event ? [event.step] : [])),
    end: () => events().flatMap((event) => ('end' in event ? [event.end] : []))[0],
    hub,
    [Symbol.dispose]: () => {
      watcher.stop()
      hub.close()
    },
  }
}

const both = (port: number, steps: string) =>
  `peers:\n  server: { server: ${port} }\n  client: { client: 127.0.0.1:${port}, later: true }\nsteps:\n  - open: client\n${steps}`

test('a page plays the same files, hears of every step, and leaves no endpoint behind', async () => {
  using page = open()
  await page.play(both(await freePort(), '  - { send: hello, to: client }\n  - { expect: hello, from: server }'))
  await expect.poll(() => page.end()).toMatchObject({ ok: true, stopped: false })
  expect(page.steps().map(({ title, ok }) => [title, ok])).toEqual([
    ['client opens', true],
    ['client sends "hello"', true],
    ['server gets "hello"', true],
  ])
  expect(page.hub.infos()).toEqual([])
})

test('a page stops a run', async () => {
  using page = open()
  const { run } = await page.play(both(await freePort(), '  - { expect: never, from: server, timeout: 60s }'))
  await expect.poll(() => page.steps().length).toBe(1)
  await page.stop(run)
  await expect.poll(() => page.end()).toMatchObject({ ok: false, stopped: true })
})

test('runs end when their page goes, and there are only so many at once', async () => {
  using page = open()
  const wait = async () => await page.play(both(await freePort(), '  - { wait: 60s }'))
  for (let count = 0; count < 4; count += 1) await wait()
  await expect(wait()).rejects.toThrow('4 scenarios are being played already')
  page[Symbol.dispose]()
  await expect.poll(() => page.hub.infos()).toEqual([])
})

test('a file from a page sees no variables of the server', async () => {
  using page = open()
  await expect(page.play('peers: { a: { client: "127.0.0.1:${PATH}" } }\nsteps: [{ wait: 1ms }]')).rejects.toThrow(
    'the variable PATH has no value',
  )
})
