// Runs the suites in this process and ends with the line of counts.
import { parseCLI, startVitest } from 'vitest/node'

const { filter, options } = parseCLI(['vitest', 'run', ...process.argv.slice(2)])
const vitest = await startVitest('test', filter, options)
const modules = vitest.state.getTestModules()
const tests = modules.flatMap((module) => [...module.children.allTests()])
const count = (state: string) => tests.filter((test) => test.result().state === state).length
const brokenModules = modules.filter((module) => module.errors().length > 0).length
const failed = count('failed') + brokenModules + vitest.state.getUnhandledErrors().length
await vitest.close()

process.stdout.write(`${count('passed')} passed, ${failed} failed, ${count('skipped')} skipped\n`)
process.exit(failed === 0 && count('passed') > 0 ? 0 : 1)
