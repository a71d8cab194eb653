// npm test: all suites. Ends with one line, `N passed, N failed, N skipped`.
import { parseCLI, startVitest } from 'vitest/node'
import { cleanUp, engineAnswers } from '../test/support/engine.ts'
import { say } from './support/terminal.ts'

const HOW_TO_GET_AN_ENGINE =
  'scripts/docker-engine.sh installs and starts one on Debian; https://docs.docker.com/engine/install/ has the others'

const docker = await engineAnswers()
if (!docker && process.env.REQUIRE_DOCKER === '1') {
  say(`no Docker engine answers, and REQUIRE_DOCKER=1. ${HOW_TO_GET_AN_ENGINE}`)
  process.stdout.write('0 passed, 1 failed, 0 skipped\n')
  process.exit(1)
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    const end = () => process.exit(130)
    if (docker) cleanUp().then(end, end)
    else end()
  })
}

const { filter, options } = parseCLI(['vitest', 'run', ...process.argv.slice(2)])
const vitest = await startVitest('test', filter, options)
const tests = vitest.state.getTestModules().flatMap((module) => [...module.children.allTests()])
const count = (state: string) => tests.filter((test) => test.result().state === state).length
const brokenModules = vitest.state.getTestModules().filter((module) => module.errors().length > 0).length
const failed = count('failed') + brokenModules + vitest.state.getUnhandledErrors().length
await vitest.close()

if (!docker) say(`no Docker engine answers: ${count('skipped')} tests were SKIPPED, those of the image among them. ${HOW_TO_GET_AN_ENGINE}`)
process.stdout.write(`${count('passed')} passed, ${failed} failed, ${count('skipped')} skipped\n`)
process.exit(failed === 0 && count('passed') > 0 ? 0 : 1)
