import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { expect, inject, test } from 'vitest'
import { createVolume, docker, labelled, runToEnd } from './support/containers.ts'
import { freePort } from '../src/testing/free-port.ts'
import { describeContainer, newContainer } from './support/runtimes.ts'
import { waitUntil } from '../src/testing/wait.ts'

const home = dirname(import.meta.dirname)
const STARTUP_TIMEOUT_MS = 60_000
const REFUSAL = /is in use: another node-red-tcp runs on it\. Stop that one, or/

/** Starts a command in a process group of its own, on a data folder and free ports, which end with the scope. */
async function launch(command: string, args: readonly string[], dataDir: string) {
  const [tcp, editor, status] = [await freePort(), await freePort(), await freePort()]
  const child = spawn(command, args, {
    cwd: home,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      PATH: `${dirname(process.execPath)}:${process.env.PATH}`,
      HOME: dataDir,
      DATA_DIR: dataDir,
      TCP_PORTS: `${tcp}-${tcp + 9}`,
      EDITOR_PORT: String(editor),
      STATUS_PORT: String(status),
      NODE_RED_ADMIN_PASSWORD: 'data folder password',
    },
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (output += chunk.toString()))
  const answers = () =>
    fetch(`http://127.0.0.1:${status}/readyz`).then(
      ({ ok }) => ok,
      () => false,
    )
  return {
    child,
    answers,
    output: () => output,
    ready: () => waitUntil(answers, { within: STARTUP_TIMEOUT_MS, what: 'readiness', stopOn: () => ended(child) }),
    [Symbol.asyncDispose]: async () => {
      try {
        process.kill(-child.pid!, 'SIGKILL')
      } catch {
        // The whole group has ended already.
      }
      if (!ended(child)) await once(child, 'exit')
    },
  }
}

const ended = (child: ChildProcess) => child.exitCode !== null || child.signalCode !== null

function createFolder(): { path: string } & Disposable {
  const path = mkdtempSync(join(tmpdir(), 'node-red-tcp-'))
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) }
}

test('a SIGTERM to npm ends the distribution, too', async () => {
  using folder = createFolder()
  // Only what `npm start` runs: the compiling before it has nothing to do with signals.
  await using run = await launch('npm', ['start', '--ignore-scripts'], folder.path)
  await run.ready()
  run.child.kill('SIGTERM')
  await once(run.child, 'exit')
  await expect.poll(run.answers).toBe(false)
  expect(() => process.kill(-run.child.pid!, 0)).toThrow('ESRCH')
})

test('a second process on a data folder is refused, and after a kill -9 the next one starts', async () => {
  using folder = createFolder()
  const start = () => launch(process.execPath, [join(home, 'dist', 'src', 'runtime', 'main.js')], folder.path)
  await using first = await start()
  await first.ready()
  await using second = await start()
  expect(await once(second.child, 'exit')).toEqual([1, null])
  expect(second.output()).toMatch(REFUSAL)
  expect(second.output()).toContain(folder.path)
  expect(await first.answers()).toBe(true)
  first.child.kill('SIGKILL')
  await once(first.child, 'exit')
  await using third = await start()
  await third.ready()
})

describeContainer('two containers on one volume', () => {
  test('the second one is refused, and after a kill -9 it starts', async () => {
    await using volume = await createVolume()
    const first = await docker('run', '--detach', ...labelled(), '-v', `${volume.name}:/data`, inject('image'))
    try {
      await expect
        .poll(() => docker('exec', first, 'ls', '-a', '/data').catch(() => ''), { timeout: STARTUP_TIMEOUT_MS })
        .toContain('.lock')
      const { code, log } = await runToEnd('-v', `${volume.name}:/data`, inject('image'))
      expect(log).toMatch(REFUSAL)
      expect(log).toContain('give this one a volume of its own')
      expect(code).toBe(1)
      await docker('kill', '--signal', 'KILL', first)
      await docker('wait', first)
      await using next = await newContainer().withData(volume.name).start()
      expect((await fetch(`${next.getStatusUrl()}/readyz`)).status).toBe(200)
    } finally {
      await docker('rm', '--force', '--volumes', first)
    }
  })
})
