// What is told of a scenario that is being played, to page and command line alike.
import type { Told } from './protocol.ts'

/** One step: what it is by its name in the file, else by what it does. */
export type StepStart = { line: number; name?: string; what: Told }
export type StepResult = StepStart & { ok: boolean; ms: number; problem?: Told }
export type ScenarioResult = { name: string; file: string; ok: boolean; ms: number; steps: StepResult[]; skipped: number; stopped: boolean }

/** Steps that have been played since the last event, the newest of them when there are many; and the one that is played now. */
export type ScenarioEvent = { done: number; steps: StepResult[]; now?: StepStart } | { end: ScenarioResult }

/** What became of a step, and what a step does; page and command line have texts for them. */
export const SCENARIO_CODES = {
  NOT_RECEIVED: ['peer', 'wanted', 'ms', 'received'],
  NOT_SILENT: ['peer', 'received'],
  NOT_CONNECTED: ['peer', 'ms'],
  STILL_CONNECTED: ['peer', 'ms'],
  PEER_GONE: ['peer', 'wanted', 'received'],
  STOPPED: [],
  STEP_SEND: ['peer', 'content'],
  STEP_EXPECT: ['peer', 'wanted'],
  STEP_SILENCE: ['peer', 'ms'],
  STEP_WAIT: ['ms'],
  STEP_OPEN: ['peer'],
  STEP_CLOSE: ['peer'],
  STEP_CONNECTED: ['peer'],
  STEP_CLOSED: ['peer'],
} as const

export type ScenarioCode = keyof typeof SCENARIO_CODES

export function titleOfStep({ name, what }: StepStart, describe: (told: Told) => string): string {
  return name ?? describe(what)
}
