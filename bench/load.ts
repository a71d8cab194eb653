// The load generator of the workloads: `node load.ts JOB`.
import { answerLoad } from './run-load.ts'
import type { LoadContext } from './workload.ts'
import { findWorkload } from './workloads.ts'

export type LoadJob = LoadContext & { workload: string }

if (import.meta.main) answerLoad(({ workload, ...context }: LoadJob) => findWorkload(workload).load(context))
