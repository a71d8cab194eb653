// Scenario files on the command line.
import { readFileSync, writeFileSync } from 'node:fs'
import { createHub } from '../engine/hub.ts'
import { ScenarioError, type Scenario } from '../scenario/model.ts'
import { parseScenario } from '../scenario/parse.ts'
import { runScenario } from '../scenario/run.ts'
import { visible } from '../shared/export/entries.ts'
import { formatJunit } from '../shared/junit.ts'
import { titleOfStep, type ScenarioResult, type StepResult } from '../shared/scenario.ts'
import type { Run } from './arguments.ts'
import { describe } from './texts.ts'
import { UsageError } from '../../cli/options.ts'

/** Plays them one after another; gives the exit code. */
export async function run({ files, junit, variables, quiet }: Run): Promise<number> {
  // All of them are read before the first is played: a mistake in the last shall not come after minutes.
  const scenarios = files.map((file) => read(file, { ...process.env, ...variables }))
  const targets = process.env.ASSISTANT_TARGETS
  const hub = createHub({ ...(targets ? { targets } : {}) })
  const stop = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => stop.abort())
  const results: ScenarioResult[] = []
  for (const scenario of scenarios) {
    if (stop.signal.aborted) break
    if (!quiet) console.log(scenario.name)
    const result = await runScenario(scenario, { hub, signal: stop.signal, onStep: (step) => show(step, scenario, quiet) })
    if (!quiet) console.log(`  ${result.ok ? 'passed' : 'failed'} in ${formatMs(result.ms)}`)
    results.push(result)
  }
  hub.close()
  if (junit !== undefined) writeFileSync(junit, formatJunit(results, describe))
  return results.length === scenarios.length && results.every(({ ok }) => ok) ? 0 : 1
}

function show(step: StepResult, { file }: Scenario, quiet: boolean): void {
  const { ok, line, ms, problem } = step
  const title = titleOfStep(step, describe)
  if (ok && !quiet) console.log(`  ✓ ${visible(title)}  ${formatMs(ms)}`)
  if (!ok) console.log(`  ✗ ${visible(title)}  ${formatMs(ms)}\n    ${file}:${line}: ${visible(describe(problem!))}`)
}

function formatMs(ms: number): string {
  return ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`
}

/** @throws UsageError for what cannot be played */
function read(file: string, variables: Record<string, string | undefined>): Scenario {
  try {
    return parseScenario(readFileSync(file, 'utf8'), { file, variables })
  } catch (error) {
    if (error instanceof ScenarioError) throw new UsageError(error.message)
    throw new UsageError(`${file} cannot be read: ${(error as Error).message}`)
  }
}
