// npm test: all suites, or those given as arguments. Ends with one line, `N passed, N failed, N skipped`.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { cleanUp, engineAnswers, HOW_TO_GET_AN_ENGINE } from '../test/support/engine.ts'
import { say } from './support/terminal.ts'

const docker = await engineAnswers()
if (!docker && process.env.REQUIRE_DOCKER === '1') {
  say(`no Docker engine answers, and REQUIRE_DOCKER=1. ${HOW_TO_GET_AN_ENGINE}`)
  process.stdout.write('0 passed, 1 failed, 0 skipped\n')
  process.exit(1)
}

// A process group of its own, to be ended as a whole: what still runs could create what was just removed.
const runner = spawn(process.execPath, [join(import.meta.dirname, 'support', 'run-suites.ts'), ...process.argv.slice(2)], {
  stdio: 'inherit',
  detached: true,
})

async function interrupt(): Promise<void> {
  process.kill(-runner.pid!, 'SIGKILL')
  await once(runner, 'exit')
  if (docker) await cleanUp()
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.once(signal, () => void interrupt().finally(() => process.exit(130)))
}

const [code] = (await once(runner, 'exit')) as [number | null]
process.exitCode = code ?? 1
