// Runs suites in this process and tells what came of them to the one that started it.
import { setTimeout as wait } from 'node:timers/promises'
import { parseCLI, startVitest } from 'vitest/node'

const CLOSE_MS = 30_000
const MAX_FAILURES = 50

/** `failures`: a line each, of at most so many. */
export type Outcome = { passed: number; failed: number; skipped: number; failures: string[] }

const { filter, options } = parseCLI(['vitest', 'run', ...process.argv.slice(2)])
const vitest = await startVitest('test', filter, options)
const modules = vitest.state.getTestModules()
const tests = modules.flatMap((module) => [...module.children.allTests()])
const inState = (state: string) => tests.filter((test) => test.result().state === state)
const failedTests = inState('failed')
const brokenModules = modules.filter((module) => module.errors().length > 0)
const unhandled = vitest.state.getUnhandledErrors()
const failures = [
  ...failedTests.map((test) => `${test.module.relativeModuleId}: ${test.fullName}: ${firstLine(test.result().errors?.[0]?.message)}`),
  ...brokenModules.map((module) => `${module.relativeModuleId}: ${firstLine(module.errors()[0]?.message)}`),
  ...unhandled.map((error) => `not of a test: ${firstLine((error as Error).message)}`),
]
const outcome: Outcome = {
  passed: inState('passed').length,
  failed: failures.length,
  skipped: inState('skipped').length,
  failures: failures.slice(0, MAX_FAILURES),
}
// A worker that does not end says nothing about the tests, and nobody should wait for it for ever.
await Promise.race([vitest.close(), wait(CLOSE_MS)])
process.send!(outcome)
process.exit()

function firstLine(message = ''): string {
  return message.split('\n')[0]!
}
