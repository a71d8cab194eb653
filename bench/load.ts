// The load generator: `node load.ts JOB`. Ends with one line of JSON, the measurement or an error.
import type { LoadContext, Measurement } from './workload.ts'
import { findWorkload } from './workloads.ts'

export type LoadJob = LoadContext & { workload: string }
export type LoadOutcome = Measurement | { error: string }

if (import.meta.main) {
  // An error of any socket has no other way to be heard.
  process.on('uncaughtException', (error) => end({ error: error.message }))
  const { workload, ...context } = JSON.parse(process.argv[2] ?? '') as LoadJob
  findWorkload(workload)
    .load(context)
    .then(end, (error: Error) => end({ error: error.message }))
}

function end(outcome: LoadOutcome): void {
  process.stdout.write(`${JSON.stringify(outcome)}\n`, () => process.exit())
}
