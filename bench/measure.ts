import { say } from '../src/cli/terminal.ts'
import { formatValue, median } from './figures.ts'
import type { LoadJob } from './load.ts'
import type { Place } from './place.ts'
import { runLoad } from './run-load.ts'
import { startSubject, SUBJECTS, type Subject, type SubjectName } from './subjects.ts'
import type { Measurement, Workload } from './workload.ts'

/** What a subject has achieved; `value` is the median, null when it failed. */
export type Result = { subject: SubjectName; rounds: number[]; value: number | null; failure?: string; note?: string }

type MeasureOptions = { rounds: number; windowMs: number; place: Place; signal: AbortSignal }

/** Measures one subject after the other, round by round, each round in another order. A subject that fails is not asked again. */
export async function measureWorkload(workload: Workload, options: MeasureOptions): Promise<Result[]> {
  const { rounds, signal } = options
  const results = new Map(SUBJECTS.map((subject): [SubjectName, Result] => [subject, { subject, rounds: [], value: null }]))
  const running = new Map<SubjectName, Subject>()
  const stop = async (name: SubjectName) => {
    await running.get(name)?.stop()
    running.delete(name)
  }
  try {
    for (let round = 0; round < rounds; round += 1) {
      for (const name of rotate(SUBJECTS, round)) {
        const result = results.get(name)!
        if (result.failure !== undefined) continue
        signal.throwIfAborted()
        const progress = `${workload.name} · round ${round + 1}/${rounds} · ${name}`
        try {
          if (!running.has(name)) running.set(name, await startSubject(name, { workload, ...options }))
          const { ports, pid } = running.get(name)!
          const job: LoadJob = { workload: workload.name, ports, pid, windowMs: options.windowMs }
          const { value, note } = await runLoad<Measurement>('load.ts', job, { timeoutMs: workload.timeoutMs, signal })
          result.rounds.push(value)
          if (note !== undefined) result.note = note
          say(`${progress}: ${formatValue(value)} ${workload.unit}${note === undefined ? '' : ` (${note})`}`)
        } catch (error) {
          signal.throwIfAborted()
          result.failure = `round ${round + 1}: ${(error as Error).message}`
          say(`${progress}: ${(error as Error).message}`)
        }
        if (workload.freshProcess || result.failure !== undefined) await stop(name)
      }
    }
  } finally {
    for (const name of [...running.keys()]) await stop(name)
  }
  return [...results.values()].map((result) => ({ ...result, value: result.failure === undefined ? median(result.rounds) : null }))
}

function rotate<T>(list: readonly T[], by: number): T[] {
  const start = by % list.length
  return [...list.slice(start), ...list.slice(0, start)]
}
