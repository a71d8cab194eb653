import type { Notice } from './notice.ts'
// What is told of a scenario that is being played, to page and command line alike.

/** One step: what it is by its name in the file, else by what it does. */
export type StepStart = { line: number; name?: string; what: Notice }
export type StepResult = StepStart & { ok: boolean; ms: number; problem?: Notice }
export type ScenarioResult = { name: string; file: string; ok: boolean; ms: number; steps: StepResult[]; skipped: number; stopped: boolean }

/** Steps that have been played since the last event, the newest of them when there are many; and the one that is played now. */
export type ScenarioEvent = { done: number; steps: StepResult[]; now?: StepStart } | { end: ScenarioResult }

export function titleOfStep({ name, what }: StepStart, describe: (notice: Notice) => string): string {
  return name ?? describe(what)
}
