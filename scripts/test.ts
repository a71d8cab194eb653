// npm test: all suites, or those given as arguments. Ends with what has failed, and one line, `N passed, N failed, N skipped`.
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { dirname, join } from 'node:path'
import { cleanUp, engineAnswers, HOW_TO_GET_AN_ENGINE } from '../test/support/engine.ts'
import { prepare } from '../test/support/prepare.ts'
import type { Outcome } from '../test/support/run-suites.ts'
import { say } from '../src/cli/terminal.ts'
import { isLocal, isolated, partsOf, type Part } from '../test/support/test-parts.ts'

const RUNNER = join(dirname(import.meta.dirname), 'test', 'support', 'run-suites.ts')
// A part that ends without a word has failed as a whole.
const BROKEN: Outcome = { passed: 0, failed: 1, skipped: 0, failures: [] }

const docker = await engineAnswers()
if (!docker && process.env.REQUIRE_DOCKER === '1') {
  say(`no Docker engine answers, and REQUIRE_DOCKER=1. ${HOW_TO_GET_AN_ENGINE}`)
  end([BROKEN])
}

const running = new Set<ChildProcess>()

async function run({ args, isolated: isIsolated, runtime }: Part): Promise<Outcome> {
  const env = { ...process.env, NODE_RED_TCP_TEST_PREPARED: '1', ...(runtime ? { NODE_RED_TCP_TEST_RUNTIME: runtime } : {}) }
  const [command, all] = isIsolated ? isolated(process.execPath, [RUNNER, ...args]) : [process.execPath, [RUNNER, ...args]]
  // A process group of its own, to be ended as a whole: what still runs could create what was just removed.
  const child = spawn(command, all, { env, stdio: ['ignore', 'inherit', 'inherit', 'ipc'], detached: true })
  running.add(child)
  let outcome = { ...BROKEN, failures: [`${args.join(' ')}: ended without a word of its tests`] }
  child.on('message', (message: Outcome) => (outcome = message))
  await once(child, 'close')
  running.delete(child)
  return outcome
}

async function interrupt(): Promise<void> {
  await Promise.all(
    [...running].map(async (child) => {
      process.kill(-child.pid!, 'SIGKILL')
      await once(child, 'exit')
    }),
  )
  if (docker) await cleanUp()
}

let interruption: Promise<void> | undefined
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.once(signal, () => {
    interruption ??= interrupt().finally(() => process.exit(130))
  })
}

const args = process.argv.slice(2)
await prepare({ docker: docker && !isLocal(args) }).catch((error: Error) => {
  say(error.message)
  end([BROKEN])
})
const all: Outcome[] = []
for (const sideBySide of await partsOf(args, { docker })) {
  all.push(...(await Promise.all(sideBySide.map(run))))
  await interruption
}
if (docker) await cleanUp()

if (!docker) say(`what needs a container was SKIPPED, since no Docker engine answers. ${HOW_TO_GET_AN_ENGINE}`)
end(all)

function end(parts: Outcome[]): never {
  const [passed, failed, skipped] = (['passed', 'failed', 'skipped'] as const).map((what) =>
    parts.reduce((sum, outcome) => sum + outcome[what], 0),
  )
  for (const failure of parts.flatMap((outcome) => outcome.failures)) say(`FAILED ${failure}`)
  process.stdout.write(`${passed} passed, ${failed} failed, ${skipped} skipped\n`)
  process.exit(failed === 0 && passed! > 0 ? 0 : 1)
}
