import { titleOfStep, type ScenarioResult } from './scenario.ts'
import type { Notice } from './notice.ts'

/** Results in the form that CI systems read: a suite for each scenario, a case for each step. */
export function formatJunit(results: readonly ScenarioResult[], describe: (problem: Notice) => string): string {
  const total = (of: (result: ScenarioResult) => number) => results.reduce((sum, result) => sum + of(result), 0)
  const failures = ({ steps }: ScenarioResult) => steps.filter(({ ok }) => !ok).length
  const suites = results.map((result) => {
    const cases = result.steps.map((step) => {
      const { line, ms, problem } = step
      const start = `    <testcase${attributes({ name: titleOfStep(step, describe), classname: result.name, file: result.file, line, time: seconds(ms) })}`
      return problem
        ? `${start}>\n      <failure${attributes({ type: problem.code, message: describe(problem) })}/>\n    </testcase>`
        : `${start}/>`
    })
    const head = { name: result.name, tests: result.steps.length, failures: failures(result), time: seconds(result.ms) }
    return `  <testsuite${attributes(head)}>\n${cases.join('\n')}\n  </testsuite>`
  })
  const head = { tests: total(({ steps }) => steps.length), failures: total(failures), time: seconds(total(({ ms }) => ms)) }
  return `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites${attributes(head)}>\n${suites.join('\n')}\n</testsuites>\n`
}

function seconds(ms: number): string {
  return (ms / 1000).toFixed(3)
}

function attributes(values: Record<string, string | number>): string {
  return Object.entries(values)
    .map(([name, value]) => ` ${name}="${escapeXml(String(value))}"`)
    .join('')
}

function escapeXml(text: string): string {
  const escapes: Record<string, string> = {
    '&': '&amp;',
    '<': '&lt;',
    '>': '&gt;',
    '"': '&quot;',
    '\n': '&#10;',
    '\t': '&#9;',
    '\r': '&#13;',
  }
  // XML 1.0 has no way to write the others.
  return text
    .replace(/[&<>"\n\t\r]/g, (character) => escapes[character]!)
    .replace(/[^\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/gu, '\uFFFD')
}
