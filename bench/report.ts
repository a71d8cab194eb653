import { formatValue } from './figures.ts'
import type { Result } from './measure.ts'
import type { SubjectName } from './subjects.ts'
import type { Goal, Workload } from './workload.ts'

export type Report = { workload: Workload; results: Result[] }

const HEADER = ['Workload', 'Unit', 'hardened', 'core', 'bare', 'hardened / core', 'hardened / bare', 'Goal', 'Met']
const TEXT_COLUMNS = new Set([0, 1, 7, 8])

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

/** A Markdown table that is aligned, as Prettier has it and as a terminal shows it. */
export function formatTable(reports: readonly Report[]): string {
  const rows = [HEADER, ...reports.map(toRow)]
  const widths = HEADER.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)))
  const line = (cells: string[]) => `| ${cells.join(' | ')} |`
  const pad = (row: string[]) =>
    row.map((cell, column) => (TEXT_COLUMNS.has(column) ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!)))
  const rule = widths.map((width, column) => (TEXT_COLUMNS.has(column) ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`))
  const [header, ...body] = rows.map(pad)
  return [line(header!), line(rule), ...body.map(line)].join('\n')
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
