// Runs suites in this process and tells the counts to the one that started it.
import { setTimeout as wait } from 'node:timers/promises'
import { parseCLI, startVitest } from 'vitest/node'

const CLOSE_MS = 30_000

export type Counts = { passed: number; failed: number; skipped: number }

const { filter, options } = parseCLI(['vitest', 'run', ...process.argv.slice(2)])
const vitest = await startVitest('test', filter, options)
const modules = vitest.state.getTestModules()
const tests = modules.flatMap((module) => [...module.children.allTests()])
const count = (state: string) => tests.filter((test) => test.result().state === state).length
const brokenModules = modules.filter((module) => module.errors().length > 0).length
const failed = count('failed') + brokenModules + vitest.state.getUnhandledErrors().length
// A worker that does not end says nothing about the tests, and nobody should wait for it for ever.
await Promise.race([vitest.close(), wait(CLOSE_MS)])
process.send!({ passed: count('passed'), failed, skipped: count('skipped') } satisfies Counts)
process.exit()
