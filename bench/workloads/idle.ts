import { openMany, resetAll } from '../clients.ts'
import { COLLECTING_ENV, readOpenFileLimit, readSettledRss } from '../memory.ts'
import type { LoadContext, Measurement, Workload } from '../workload.ts'
import { echoFlow, serveEcho } from './echo.ts'

const CONNECTIONS = 5_000
const WARM_UP_CONNECTIONS = 500
// What a process has open besides.
const OTHER_FILES = 200

/** Connections on which nothing happens. */
export const idle: Workload = {
  name: 'idle',
  title: `${CONNECTIONS} idle connections, memory of the server for each once its garbage is collected`,
  metric: 'memory per connection',
  unit: 'kB',
  higherIsBetter: false,
  goals: [{ atMost: 1.1, times: 'core' }],
  freshProcess: true,
  env: COLLECTING_ENV,
  timeoutMs: 120_000,
  flow: echoFlow,
  serve: serveEcho,
  load,
}

async function load({ ports, pid }: LoadContext): Promise<Measurement> {
  const allowed = Math.min(readOpenFileLimit(pid), readOpenFileLimit(process.pid)) - OTHER_FILES
  const connections = Math.min(CONNECTIONS, allowed)
  resetAll(await openMany(ports.in, Math.min(WARM_UP_CONNECTIONS, connections)))
  const before = await readSettledRss(pid)
  await openMany(ports.in, connections)
  const after = await readSettledRss(pid)
  const value = (after - before) / connections / 1000
  if (connections === CONNECTIONS) return { value }
  return { value, note: `${connections} connections instead of ${CONNECTIONS}: the limit of open files (ulimit -n) allows no more` }
}
