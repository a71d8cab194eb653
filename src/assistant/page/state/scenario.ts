import { computed, ref, watch } from 'vue'
import { formatJunit } from '../../shared/junit.ts'
import type { ScenarioEvent, ScenarioResult, StepResult, StepStart } from '../../shared/scenario.ts'
import { describe } from '../i18n/index.ts'
import { ask, link, onEvent, noticeOf } from './connection.ts'
import { remembered } from './storage.ts'
import type { Notice } from '../../shared/notice.ts'

/** What of a long run is shown; the result, and so the file for a CI, has all of them. */
const MAX_SHOWN = 500

/** The scenario file that is being written. `before`: what stood there until another one was taken. */
export const scenario = remembered('scenario', { text: '', name: '', before: '', beforeName: '', keep: false })

export type Run = {
  id: string
  total: number
  done: number
  steps: StepResult[]
  now?: StepStart
  result?: ScenarioResult
  /** The connection went, and the run with it. */
  lost?: boolean
}

/** The run that was started last; it goes on when its dialog is closed. */
export const run = ref<Run>()
export const isRunning = computed(() => run.value !== undefined && run.value.result === undefined && !run.value.lost)
export const mistake = ref<Notice>()

// Events may come before the answer that names the run.
let early: { run: string; event: ScenarioEvent }[] = []
let starting = false

export async function play(): Promise<void> {
  if (starting || isRunning.value) return
  starting = true
  mistake.value = undefined
  early = []
  try {
    const answer = await ask('scenario', { text: scenario.text, keep: scenario.keep })
    if (!('run' in answer)) return
    run.value = { id: answer.run, total: answer.steps, done: 0, steps: [] }
    for (const { run: id, event } of early) take(id, event)
  } catch (error) {
    mistake.value = noticeOf(error)
  } finally {
    starting = false
  }
}

export async function stop(): Promise<void> {
  if (run.value) await ask('scenario', { stop: run.value.id }).catch(() => {})
}

/** Puts another file in the place of what stands there, which is kept. */
export function replaceScenario(name: string, text: string): void {
  if (scenario.text.trim() !== '' && scenario.text !== text) {
    scenario.before = scenario.text
    scenario.beforeName = scenario.name
  }
  scenario.text = text
  scenario.name = name
}

export const swapBack = (): void => replaceScenario(scenario.beforeName, scenario.before)

/** The last run in the form that CI systems read. */
export function junit(): string | undefined {
  return run.value?.result && formatJunit([{ ...run.value.result, file: scenario.name || run.value.result.file }], describe)
}

function take(id: string, event: ScenarioEvent): void {
  const current = run.value
  if (starting && current?.id !== id) early.push({ run: id, event })
  if (current?.id !== id) return
  if ('end' in event) {
    const { now: _, ...rest } = current
    run.value = { ...rest, done: event.end.steps.length + event.end.skipped, steps: event.end.steps.slice(-MAX_SHOWN), result: event.end }
  } else {
    const { now: _, ...rest } = current
    const steps = [...current.steps, ...event.steps].slice(-MAX_SHOWN)
    run.value = { ...rest, done: event.done, steps, ...(event.now && { now: event.now }) }
  }
}

onEvent((event) => {
  if (event.on === 'scenario') take(event.run, event.event)
})
watch(link, (state) => {
  if (state !== 'open' && run.value && isRunning.value) run.value = { ...run.value, lost: true }
})
