import { formatValue } from './figures.ts'
import type { Result } from './measure.ts'
import type { SubjectName } from './subjects.ts'
import { formatTable } from './table.ts'
import type { Goal, Workload } from './workload.ts'

export type Report = { workload: Workload; results: Result[] }

const HEADER = ['Workload', 'Unit', 'hardened', 'core', 'bare', 'hardened / core', 'hardened / bare', 'Goal', 'Met']

/** One object for each workload and subject, as other programs want it. */
export function toJson(reports: readonly Report[]): object[] {
  return reports.flatMap(({ workload, results }) =>
    results.map(({ subject, value, rounds, failure, note }) => ({
      workload: workload.name,
      subject,
      metric: workload.metric,
      unit: workload.unit,
      value,
      rounds,
      ...(failure === undefined ? {} : { failure }),
      ...(note === undefined ? {} : { note }),
    })),
  )
}

/** A row for each workload, the subjects side by side. */
export function formatReports(reports: readonly Report[]): string {
  return formatTable(HEADER, reports.map(toRow))
}

/** What went wrong or differs from the plan, one line each. */
export function formatRemarks(reports: readonly Report[]): string[] {
  return reports.flatMap(({ workload, results }) =>
    results.flatMap(({ subject, failure, note }) => [
      ...(failure === undefined ? [] : [`${workload.name}, ${subject}: no figure, ${failure}`]),
      ...(note === undefined ? [] : [`${workload.name}, ${subject}: ${note}`]),
    ]),
  )
}

function toRow({ workload, results }: Report): string[] {
  const valueOf = (name: SubjectName) => results.find(({ subject }) => subject === name)?.value ?? null
  const format = (value: number | null) => (value === null ? '–' : formatValue(value))
  const values = { hardened: valueOf('hardened'), core: valueOf('core'), bare: valueOf('bare') }
  return [
    workload.name,
    workload.unit,
    format(values.hardened),
    format(values.core),
    format(values.bare),
    format(ratio(values.hardened, values.core)),
    format(ratio(values.hardened, values.bare)),
    workload.goals.map((goal) => describeGoal(goal, workload.unit)).join(', ') || '–',
    workload.goals.length === 0 ? '–' : describeOutcome(workload.goals, values),
  ]
}

type Values = Record<SubjectName, number | null>

function describeOutcome(goals: readonly Goal[], values: Values): string {
  const met = goals.map((goal) => isMet(goal, values))
  if (met.includes(false)) return 'no'
  return met.includes(undefined) ? 'unknown' : 'yes'
}

function isMet(goal: Goal, { hardened, ...others }: Values): boolean | undefined {
  const figure = 'times' in goal ? ratio(hardened, others[goal.times]) : hardened
  if (figure === null) return undefined
  return 'atLeast' in goal ? figure >= goal.atLeast : figure <= goal.atMost
}

function describeGoal(goal: Goal, unit: string): string {
  const bound = 'atLeast' in goal ? `≥ ${goal.atLeast}` : `≤ ${goal.atMost}`
  return 'times' in goal ? `${bound} × ${goal.times}` : `${bound} ${unit}`
}

/** Memory that hardly grew may have shrunk: there is no ratio to that. */
function ratio(value: number | null, to: number | null): number | null {
  return value === null || to === null || to <= 0 ? null : value / to
}
