import type { Workload } from './workload.ts'
import { broadcast } from './workloads/broadcast.ts'
import { churn } from './workloads/churn.ts'
import { echo } from './workloads/echo.ts'
import { idle } from './workloads/idle.ts'
import { lines } from './workloads/lines.ts'
import { longLine } from './workloads/long-line.ts'
import { single } from './workloads/single.ts'
import { slowReader } from './workloads/slow-reader.ts'

export const WORKLOADS: readonly Workload[] = [echo(1), echo(100), echo(1000), lines, broadcast, single, longLine, idle, churn, slowReader]

export function findWorkload(name: string): Workload {
  const found = WORKLOADS.find((workload) => workload.name === name)
  if (!found) throw new Error(`no workload is called "${name}"; there are ${WORKLOADS.map((workload) => workload.name).join(', ')}`)
  return found
}
