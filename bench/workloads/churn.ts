import { connect } from 'node:net'
import { measureRate } from '../clients.ts'
import type { LoadContext, Measurement, Workload } from '../workload.ts'
import { echoFlow, serveEcho } from './echo.ts'

const PARALLEL = 50

/** Clients that come, say one byte, hear it back and go. As close(2) does, they do not wait for the server's FIN. */
export const churn: Workload = {
  name: 'churn',
  title: `Connect, send a byte, get it back, close without waiting for the server's FIN; ${PARALLEL} in parallel`,
  metric: 'connections',
  unit: 'connections/s',
  higherIsBetter: true,
  goals: [],
  timeoutMs: 60_000,
  flow: echoFlow,
  serve: serveEcho,
  load,
}

function load({ ports, windowMs }: LoadContext): Promise<Measurement> {
  let closed = 0
  function visit(): void {
    const socket = connect({ port: ports.in, host: '127.0.0.1', noDelay: true }, () => socket.write('x'))
    socket.once('data', () => socket.destroy())
    socket.on('close', () => {
      closed += 1
      visit()
    })
  }
  for (let client = 0; client < PARALLEL; client += 1) visit()
  return measureRate(() => closed, windowMs)
}
