// Runs the suites in this process and ends with the line of counts.
import { parseCLI, startVitest } from 'vitest/node'
import { engineAnswers, HOW_TO_GET_AN_ENGINE } from '../../test/support/engine.ts'
import { say } from './terminal.ts'

const { filter, options } = parseCLI(['vitest', 'run', ...process.argv.slice(2)])
const vitest = await startVitest('test', filter, options)
const modules = vitest.state.getTestModules()
const tests = modules.flatMap((module) => [...module.children.allTests()])
const count = (state: string) => tests.filter((test) => test.result().state === state).length
const brokenModules = modules.filter((module) => module.errors().length > 0).length
const failed = count('failed') + brokenModules + vitest.state.getUnhandledErrors().length
await vitest.close()

if (!(await engineAnswers())) say(`${count('skipped')} tests were SKIPPED, since no Docker engine answers. ${HOW_TO_GET_AN_ENGINE}`)
process.stdout.write(`${count('passed')} passed, ${failed} failed, ${count('skipped')} skipped\n`)
process.exit(failed === 0 && count('passed') > 0 ? 0 : 1)
