// Runs suites in this process and tells the counts to the one that started it.
import { parseCLI, startVitest } from 'vitest/node'

export type Counts = { passed: number; failed: number; skipped: number }

const { filter, options } = parseCLI(['vitest', 'run', ...process.argv.slice(2)])
const vitest = await startVitest('test', filter, options)
const modules = vitest.state.getTestModules()
const tests = modules.flatMap((module) => [...module.children.allTests()])
const count = (state: string) => tests.filter((test) => test.result().state === state).length
const brokenModules = modules.filter((module) => module.errors().length > 0).length
const failed = count('failed') + brokenModules + vitest.state.getUnhandledErrors().length
await vitest.close()
process.send!({ passed: count('passed'), failed, skipped: count('skipped') } satisfies Counts)
process.exit()
