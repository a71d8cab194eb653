import type { Hub } from '../engine/hub.ts'
import { AssistantError } from '../engine/told.ts'
import { ScenarioError, type Scenario } from './model.ts'
import { parseScenario } from './parse.ts'
import { runScenario, type ScenarioResult, type StepResult } from './run.ts'

/** What a page hears of its run: each step, then the end. */
export type ScenarioEvent = { step: StepResult } | { end: ScenarioResult }

/** What a page asks for: the text of a file to be played, or a run to be stopped. */
export type ScenarioAsked = { text: string } | { stop: string }

/** How many runs there may be at once, whoever asks. */
const MOST_RUNS = 4

const running = new WeakMap<Hub, Set<string>>()
let numbers = 0

/** Scenario runs of one watcher; they end when it leaves. Files see no variables of the server's environment. */
export function createScenarios(hub: Hub, tell: (run: string, event: ScenarioEvent) => void) {
  const stops = new Map<string, AbortController>()
  const all = running.get(hub) ?? new Set<string>()
  running.set(hub, all)

  function start(text: string): { run: string; steps: number } {
    const scenario = parse(text)
    if (all.size >= MOST_RUNS) throw new AssistantError('BAD_REQUEST', { reason: `${MOST_RUNS} scenarios are being played already` })
    const run = `s${(numbers += 1)}`
    const stop = new AbortController()
    stops.set(run, stop)
    all.add(run)
    void play(scenario, run, stop.signal).finally(() => {
      stops.delete(run)
      all.delete(run)
    })
    return { run, steps: scenario.steps.length }
  }

  /** A mistake of ours ends the run, not the server that it runs in. */
  async function play(scenario: Scenario, run: string, signal: AbortSignal): Promise<void> {
    const { name, file, steps } = scenario
    try {
      tell(run, { end: await runScenario(scenario, { hub, signal, onStep: (step) => tell(run, { step }) }) })
    } catch (error) {
      const problem = { code: 'SOCKET_FAILED', params: { reason: (error as Error).message } }
      const step = { line: steps[0]?.line ?? 1, title: name, ok: false, ms: 0, problem }
      tell(run, { end: { name, file, ok: false, ms: 0, steps: [step], skipped: 0, stopped: false } })
    }
  }

  return {
    /** @throws AssistantError */
    answer: (asked: ScenarioAsked): { run: string; steps: number } | Record<string, never> => {
      if ('text' in asked) return start(asked.text)
      stops.get(asked.stop)?.abort()
      return {}
    },
    stop(): void {
      for (const stop of stops.values()) stop.abort()
    },
  }
}

function parse(text: string) {
  try {
    return parseScenario(text, { file: 'scenario' })
  } catch (error) {
    if (error instanceof ScenarioError) throw new AssistantError('BAD_REQUEST', { reason: error.message })
    throw error
  }
}
