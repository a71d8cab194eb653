import { execFile } from 'node:child_process'
import { globSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { createEngine, type Engine } from '../../src/tcp/engine.ts'
import { freePort } from '../../src/testing/free-port.ts'
import { ownerOf } from './support/listening.ts'

const home = join(import.meta.dirname, '../..')

// Flags of V8, handlers of the process and timers are everybody's.
const LOOKING_ON = `
import v8 from 'node:v8'
import { syncBuiltinESMExports } from 'node:module'
const flags = []
v8.setFlagsFromString = (flag) => flags.push(flag)
syncBuiltinESMExports()
const state = () => ({ flags: [...flags], events: process.eventNames().length, timers: process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length, globals: Object.keys(globalThis).length })
const before = JSON.stringify(state())
for (const file of process.argv.slice(1)) {
  await import(file)
  const now = JSON.stringify(state())
  if (now !== before) throw new Error(file + ' changes the process: ' + before + ' → ' + now)
}
`

test('a file that is imported changes nothing in the process', async () => {
  const files = globSync(['src/tcp/**/*.ts', 'src/nodes/*.ts', 'src/nodes/support/*.ts', 'src/process/*.ts'], { cwd: home })
  expect(files.length).toBeGreaterThan(50)
  const script = ['--input-type=module', '--eval', LOOKING_ON, ...files.map((file) => join(home, file))]
  await promisify(execFile)(process.execPath, script, { cwd: home })
})

test('engines share nothing', async () => {
  const [one, other] = [createEngine(), createEngine()]
  const port = await freePort()
  await listen(one, port)
  one.shortcuts.set({ host: 'device', port }, { host: '127.0.0.1', port })
  one.relays.announce(port, '10.0.0.1', Date.now() + 60_000)
  one.counters.of('in', port).framesIn += 1
  const shown = ({ allListeners, claims, shortcuts, relays, counters }: Engine) => ({
    listeners: allListeners().length,
    claims: claims.listening().length,
    shortcut: shortcuts.of({ host: 'device', port })?.host,
    relay: relays.has(port, '10.0.0.1'),
    counters: counters.all().length,
  })
  expect(shown(one)).toEqual({ listeners: 1, claims: 1, shortcut: '127.0.0.1', relay: true, counters: 1 })
  expect(shown(other)).toEqual({ listeners: 0, claims: 0, shortcut: undefined, relay: false, counters: 0 })
  await one.shutDown()
})

async function listen(engine: Engine, port: number): Promise<void> {
  const { owner, bound } = ownerOf()
  engine.listen({ address: '127.0.0.1', port, tls: undefined }, owner)
  expect(await bound).toBe(port)
}
