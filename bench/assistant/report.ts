import { formatValue, median, percentile } from '../figures.ts'
import { formatTable } from '../table.ts'
import { FLOOD, type FloodReport, type Memory } from './flood.ts'
import { TASKS, type Overhead } from './overhead.ts'
import type { Loads } from './page-load.ts'
import type { ScrollReport } from './scrolling.ts'

export type AssistantReport = { loads: Loads; flood: FloodReport; scrolling: ScrollReport; overhead: Overhead }

const KB = 1_000
const MB = 1_000_000
const MAX_PAGE_KB = 300
// What web.dev calls good for an interaction. https://web.dev/articles/inp
const RESPONSIVE_MS = 200
// Two frames of a screen that shows 60 in a second, which Chromium tells as 33.3 or 33.4.
const SMOOTH_MS = 34
// The clock of a flood and that of the load are not the same.
const RATE_TOLERANCE = 0.01
// A full log in place of a full log: more than this would be growth.
const MAX_GROWTH = 1.2

type Goal = { of: 'p95' | 'max'; atMost: number }
type Distribution = { title: string; unit: string; values: number[]; goal?: Goal }
type Check = { title: string; unit: string; values: number[]; goal: string; isMet?: boolean }

/** Four tables in Markdown: the page, the flood, memory, the endpoints beside bare sockets. */
export function formatAssistant(report: AssistantReport): string {
  return [
    formatTable(
      ['The page', 'Unit', 'p50', 'p95', 'max', 'Goal', 'Met'],
      distributionsOf(report).map(({ title, unit, values, goal }) => [
        title,
        unit,
        ...[percentile(values, 50), percentile(values, 95), Math.max(...values)].map(formatValue),
        goal ? `${goal.of} ≤ ${goal.atMost} ${unit}` : '–',
        goal ? yesOrNo(isMet(values, goal)) : '–',
      ]),
    ),
    formatTable(
      [`${FLOOD.perSecond.toLocaleString('en-US')} messages/s for ${FLOOD.seconds} s`, 'Unit', 'first', 'second', 'Goal', 'Met'],
      checksOf(report.flood).map(({ title, unit, values, goal, isMet }) => [
        title,
        unit,
        ...values.map(formatCount),
        goal,
        isMet === undefined ? '–' : yesOrNo(isMet),
      ]),
    ),
    formatTable(
      ['Memory with these floods', 'Unit', 'before', 'peak', 'after the first', 'after the second', 'Goal', 'Met'],
      memoriesOf(report.flood).map(([title, memory]) => [
        title,
        'MB',
        ...[memory.before, memory.peak, ...memory.after].map((bytes) => formatValue(bytes / MB)),
        `second ≤ ${MAX_GROWTH} × first`,
        yesOrNo(isBounded(memory)),
      ]),
    ),
    formatTable(
      ['Endpoints', 'Unit', 'assistant', 'bare', 'assistant / bare'],
      TASKS.map(({ name, title, unit }) => {
        const [assistant, bare] = [median(report.overhead[name].assistant), median(report.overhead[name].bare)]
        return [title, unit, formatValue(assistant), formatValue(bare), formatValue(assistant / bare)]
      }),
    ),
    describe(report),
  ].join('\n\n')
}

/** One object for each figure, as those of the workloads. */
export function assistantToJson(report: AssistantReport): object[] {
  const figure = (subject: string, metric: string, unit: string, rounds: number[]) => ({
    workload: 'assistant',
    subject,
    metric,
    unit,
    value: median(rounds),
    rounds,
  })
  return [
    ...distributionsOf(report).map(({ title, unit, values }) => ({
      workload: 'assistant',
      subject: 'page',
      metric: title,
      unit,
      value: percentile(values, 50),
      p95: percentile(values, 95),
      max: Math.max(...values),
      count: values.length,
    })),
    ...checksOf(report.flood).map(({ title, unit, values }) => figure('flood', title, unit, values)),
    ...memoriesOf(report.flood).map(([title, memory]) => ({
      workload: 'assistant',
      subject: 'memory',
      metric: title,
      unit: 'B',
      ...memory,
    })),
    ...TASKS.flatMap(({ name, unit }) =>
      Object.entries(report.overhead[name]).map(([subject, rounds]) => figure(subject, name, unit, rounds)),
    ),
  ]
}

/** Whether what is promised is kept. */
export function assistantGoalsMet(report: AssistantReport): boolean {
  return (
    distributionsOf(report).every(({ values, goal }) => goal === undefined || isMet(values, goal)) &&
    checksOf(report.flood).every(({ isMet }) => isMet !== false) &&
    memoriesOf(report.flood).every(([, memory]) => isBounded(memory))
  )
}

function distributionsOf({ loads, flood, scrolling }: AssistantReport): Distribution[] {
  return [
    { title: 'bytes of a load', unit: 'kB', values: loads.bytes.map((bytes) => bytes / KB), goal: { of: 'max', atMost: MAX_PAGE_KB } },
    { title: 'load → can be used', unit: 'ms', values: loads.usableMs },
    { title: 'flood: frame to frame', unit: 'ms', values: flood.frames, goal: { of: 'p95', atMost: RESPONSIVE_MS } },
    { title: 'flood: timers late by', unit: 'ms', values: flood.lags, goal: { of: 'p95', atMost: RESPONSIVE_MS } },
    { title: 'flood: click → its effect', unit: 'ms', values: flood.clicks, goal: { of: 'p95', atMost: RESPONSIVE_MS } },
    ...scrolling.scrolled.flatMap(({ wrap, frames, jumps }): Distribution[] => {
      const lines = wrap ? 'wrapped' : 'not wrapped'
      return [
        { title: `scrolling, ${lines}: frame to frame`, unit: 'ms', values: frames, goal: { of: 'p95', atMost: SMOOTH_MS } },
        { title: `jump, ${lines} → entries`, unit: 'ms', values: jumps, goal: { of: 'p95', atMost: RESPONSIVE_MS } },
      ]
    }),
  ]
}

function checksOf({ floods }: FloodReport): Check[] {
  const all = (key: 'sent' | 'perSecond' | 'lost' | 'entries' | 'caughtUpMs') => floods.map((flood) => flood[key])
  const slowest = FLOOD.perSecond * (1 - RATE_TOLERANCE)
  return [
    { title: 'sent', unit: 'messages', values: all('sent'), goal: '–' },
    {
      title: 'at a pace of',
      unit: 'messages/s',
      values: all('perSecond'),
      goal: `≥ ${formatCount(slowest)}`,
      isMet: all('perSecond').every((pace) => pace >= slowest),
    },
    {
      title: 'lost by the server, beyond what its full log drops',
      unit: 'messages',
      values: all('lost'),
      goal: 'none',
      isMet: all('lost').every((lost) => lost === 0),
    },
    { title: 'kept in the log', unit: 'entries', values: all('entries'), goal: '–' },
    { title: 'last message → the page has all that is kept', unit: 'ms', values: all('caughtUpMs'), goal: '–' },
  ]
}

function memoriesOf({ memory }: FloodReport): [title: string, memory: Memory][] {
  return [
    ['server, resident', memory.server],
    ['page, resident', memory.page],
    ['page, heap of its program', memory.heap],
  ]
}

function describe({ scrolling, flood }: AssistantReport): string {
  const blank = scrolling.scrolled.map(({ wrap, blank, frames }) => `${blank} of ${frames.length} ${wrap ? 'wrapped' : 'not wrapped'}`)
  return [
    `Chromium without a graphics card, a window of 1280 × 800. ${flood.clicks.length} clicks, each changing how all rows show their bytes.`,
    `The log that was scrolled had ${formatCount(scrolling.entries)} entries; frames without an entry in the middle: ${blank.join(', ')}.`,
  ].join(' ')
}

function isMet(values: number[], { of, atMost }: Goal): boolean {
  return (of === 'max' ? Math.max(...values) : percentile(values, 95)) <= atMost
}

function isBounded({ after }: Memory): boolean {
  const [first = NaN, second = NaN] = after
  return second <= first * MAX_GROWTH
}

function formatCount(value: number): string {
  return Math.round(value).toLocaleString('en-US')
}

function yesOrNo(value: boolean): string {
  return value ? 'yes' : 'no'
}
