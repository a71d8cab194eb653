import { MESSAGE_BYTES, measureRate, openMany } from '../clients.ts'
import { chain, tcpIn, tcpReply } from '../flows.ts'
import { listen } from '../servers.ts'
import type { LoadContext, Measurement, Ports, Workload } from '../workload.ts'

/** Every client sends a message and waits for it to come back before it sends the next. */
export function echo(connections: number): Workload {
  return {
    name: `echo-${connections}`,
    title: `Echo of ${MESSAGE_BYTES}-byte buffers, ${connections} ${connections === 1 ? 'connection' : 'connections'}`,
    metric: 'requests',
    unit: 'req/s',
    higherIsBetter: true,
    goals: [{ atLeast: 1, times: 'core' }, ...(connections === 100 ? [{ atLeast: 0.85, times: 'bare' } as const] : [])],
    timeoutMs: 60_000,
    flow: echoFlow,
    serve: serveEcho,
    load: (context) => load(connections, context),
  }
}

export function echoFlow(ports: Ports) {
  return chain(tcpIn(ports.in, { datamode: 'stream', datatype: 'buffer' }), tcpReply())
}

export function serveEcho(ports: Ports): void {
  listen(ports.in, (socket) => socket.on('data', (chunk) => socket.write(chunk)))
}

async function load(connections: number, { ports, windowMs }: LoadContext): Promise<Measurement> {
  const message = Buffer.alloc(MESSAGE_BYTES, 'x')
  let replies = 0
  for (const socket of await openMany(ports.in, connections)) {
    let missing = MESSAGE_BYTES
    socket.on('data', (chunk) => {
      missing -= chunk.length
      if (missing > 0) return
      if (missing < 0) throw new Error(`${-missing} bytes more came back than were sent`)
      missing = MESSAGE_BYTES
      replies += 1
      socket.write(message)
    })
    socket.write(message)
  }
  return measureRate(() => replies, windowMs)
}
