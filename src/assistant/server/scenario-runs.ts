import type { Hub } from '../engine/hub.ts'
import type { Answers } from '../shared/protocol.ts'
import type { Asked } from '../shared/requests.ts'
import type { ScenarioEvent, StepResult, StepStart } from '../shared/scenario.ts'
import { ScenarioError, type Scenario } from '../scenario/model.ts'
import { parseApart } from '../scenario/parse-apart.ts'
import { countSteps, runScenario } from '../scenario/run.ts'
import { AssistantError } from '../engine/errors.ts'
import { notice, type Notice } from '../shared/notice.ts'

/** How many runs there may be at once, whoever asks. */
const MAX_RUNS = 4
const TELL_EVERY_MS = 100
/** What is told of the steps that have been played since; all of them are in the result. */
const MAX_STEPS_TOLD = 100

const running = new WeakMap<Hub, Set<string>>()
let numbers = 0

/** Scenario runs of one watcher; they end when it leaves. Files see no variables of the server's environment but those of the hub. */
export function createScenarios(hub: Hub, tell: (run: string, event: ScenarioEvent) => void) {
  const stops = new Map<string, AbortController>()
  const all = running.get(hub) ?? new Set<string>()
  running.set(hub, all)

  async function start(text: string, keep: boolean): Promise<{ run: string; steps: number }> {
    if (all.size >= MAX_RUNS) throw new AssistantError(notice('TOO_MANY_RUNS', { limit: MAX_RUNS }))
    const run = `s${(numbers += 1)}`
    const stop = new AbortController()
    stops.set(run, stop)
    all.add(run)
    const forget = () => {
      stops.delete(run)
      all.delete(run)
    }
    try {
      const scenario = await parse(text, hub.variables)
      void play(scenario, { run, signal: stop.signal, keep }).finally(forget)
      return { run, steps: countSteps(scenario.steps) }
    } catch (error) {
      forget()
      throw error
    }
  }

  /** A mistake of ours ends the run, not the server that it runs in. */
  async function play(scenario: Scenario, { run, signal, keep }: { run: string; signal: AbortSignal; keep: boolean }): Promise<void> {
    const { name, file, steps } = scenario
    const progress = createProgress((event) => tell(run, event))
    try {
      const end = await runScenario(scenario, { hub, signal, keep, onStart: progress.start, onStep: progress.step })
      progress.stop()
      tell(run, { end })
    } catch (error) {
      progress.stop()
      const problem: Notice = notice('SOCKET_FAILED', { reason: (error as Error).message })
      const step: StepResult = { line: steps[0]?.line ?? 1, name, what: problem, ok: false, ms: 0, problem }
      tell(run, { end: { name, file, ok: false, ms: 0, steps: [step], skipped: 0, stopped: false } })
    }
  }

  return {
    /** @throws AssistantError */
    answer: async (asked: Asked<'scenario'>): Promise<Answers['scenario']> => {
      if ('text' in asked) return await start(asked.text, asked.keep === true)
      stops.get(asked.stop)?.abort()
      return {}
    },
    stop(): void {
      for (const stop of stops.values()) stop.abort()
    },
  }
}

/** Tells what was played a few times a second: a scenario of ten thousand steps is no flood for the browser. */
function createProgress(tell: (event: ScenarioEvent) => void) {
  let done = 0
  let steps: StepResult[] = []
  let now: StepStart | undefined
  let timer: NodeJS.Timeout | undefined

  function flush(): void {
    timer = undefined
    tell({ done, steps, ...(now && { now }) })
    steps = []
  }
  const later = () => (timer ??= setTimeout(flush, TELL_EVERY_MS))

  return {
    start: (step: StepStart): void => {
      now = step
      later()
    },
    step: (result: StepResult): void => {
      done += 1
      steps = [...steps.slice(1 - MAX_STEPS_TOLD), result]
      now = undefined
      later()
    },
    stop: (): void => {
      clearTimeout(timer)
      if (steps.length > 0) flush()
    },
  }
}

async function parse(text: string, variables: Readonly<Record<string, string>>): Promise<Scenario> {
  try {
    return await parseApart(text, { file: 'scenario.yaml', variables })
  } catch (error) {
    if (!(error instanceof ScenarioError)) throw error
    const mistakes = error.mistakes.map(({ line, key, text }) => `${line}: ${key === '' ? '' : `${key}: `}${text}`)
    throw new AssistantError(notice('BAD_SCENARIO', { mistakes: mistakes.join('\n') }))
  }
}
