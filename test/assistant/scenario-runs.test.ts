import { expect, test } from 'vitest'
import { createHub } from '../../src/assistant/engine/hub.ts'
import { createWatcher } from '../../src/assistant/server/watcher.ts'
import { describe as describeCode } from '../../src/assistant/command/texts.ts'
import type { Answer, ServerEvent } from '../../src/assistant/shared/protocol.ts'
import { titleOfStep } from '../../src/assistant/shared/scenario.ts'
import { freePort } from '../../src/testing/free-port.ts'

/** A page that plays scenarios. */
function open() {
  const hub = createHub({ variables: { TCP_RESPONSE_PORT: '1' } })
  const heard: (ServerEvent | Answer)[] = []
  const sink = { send: (message: ServerEvent | Answer) => void heard.push(message), buffered: () => 0 }
  const watcher = createWatcher(hub, sink, { permissions: { read: true, write: true, flows: true }, version: '1' })
  const events = () => heard.flatMap((message) => ('on' in message && message.on === 'scenario' ? [message.event] : []))
  return {
    play: async (text: string) => (await watcher.answer('scenario', { text })) as { run: string },
    progress: () => events().flatMap((event) => ('steps' in event ? [event] : [])),
    stop: async (run: string) => await watcher.answer('scenario', { stop: run }),
    steps: () => events().flatMap((event) => ('steps' in event ? event.steps : [])),
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
  expect(page.steps().map((step) => [titleOfStep(step, describeCode), step.ok])).toEqual([
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
  await expect(wait()).rejects.toThrow('TOO_MANY_RUNS {"limit":4}')
  page[Symbol.dispose]()
  await expect.poll(() => page.hub.infos()).toEqual([])
})

test('a file from a page sees no variables of the server', async () => {
  using page = open()
  await expect(page.play('peers: { a: { client: "127.0.0.1:${PATH}" } }\nsteps: [{ wait: 1ms }]')).rejects.toThrow(
    'the variable PATH has no value',
  )
})

test('a file from a page names the ports of the flows', async () => {
  using page = open()
  await page.play('peers: { a: { client: "127.0.0.1:${TCP_RESPONSE_PORT:-9503}" } }\nsteps: [{ connected: a }]')
  await expect.poll(() => page.end()).toMatchObject({ steps: [{ problem: { code: 'REFUSED', params: { port: 1 } } }] })
})

test('ten thousand steps are told in few messages, with the newest of them', async () => {
  using page = open()
  await page.play(both(await freePort(), '  - repeat: 10000\n    steps: [{ connected: client }]'))
  await expect.poll(() => page.end(), { timeout: 20_000 }).toMatchObject({ ok: true })
  expect(page.progress().length).toBeLessThan(500)
  expect(page.progress().at(-1)).toMatchObject({ done: 10_001 })
  expect(Math.max(...page.progress().map(({ steps }) => steps.length))).toBeLessThanOrEqual(100)
})

test('the step that is played now is told before it has ended', async () => {
  using page = open()
  const { run } = await page.play(both(await freePort(), '  - { name: patience, expect: never, from: server, timeout: 60s }'))
  await expect.poll(() => page.progress().at(-1)?.now).toMatchObject({ name: 'patience', line: 6 })
  await page.stop(run)
})
