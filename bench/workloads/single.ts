import { CHUNK_BYTES, measureThroughput, open, writeAll } from '../clients.ts'
import { DONE, openControl } from '../control.ts'
import { chain, setPayload, tcpIn, tcpOutServer } from '../flows.ts'
import { listen, listenForReceivers } from '../servers.ts'
import type { LoadContext, Measurement, Workload } from '../workload.ts'

const SIZE_MIB = 64
const SIZE_BYTES = SIZE_MIB * 1024 * 1024
const WARM_UP_BYTES = 4 * 1024 * 1024

/** All bytes of a connection are one message. */
export const single: Workload = {
  name: 'single',
  title: `${SIZE_MIB} MiB in single mode, from the first byte sent to the message in the flow`,
  metric: 'throughput',
  unit: 'MiB/s',
  higherIsBetter: true,
  goals: [{ atLeast: 20, times: 'core' }],
  timeoutMs: 240_000,
  flow: (ports) => chain(tcpIn(ports.in, { datamode: 'single', datatype: 'buffer' }), setPayload(DONE), tcpOutServer(ports.out)),
  serve(ports) {
    const receivers = listenForReceivers(ports.out)
    listen(ports.in, (socket) => {
      const chunks: Buffer[] = []
      socket.on('data', (chunk: Buffer) => chunks.push(chunk))
      socket.on('end', () => {
        const message = Buffer.concat(chunks)
        if (message.length > 0) for (const receiver of receivers) receiver.write(DONE)
      })
    })
  },
  load,
}

async function load({ ports, windowMs }: LoadContext): Promise<Measurement> {
  const chunk = Buffer.alloc(CHUNK_BYTES, 'x')
  const transfer = await openControl(ports.out, async (bytes) => {
    const sender = await open(ports.in)
    await writeAll(sender, bytes, chunk)
    sender.end()
  })
  await transfer(WARM_UP_BYTES)
  return measureThroughput(() => transfer(SIZE_BYTES), { mib: SIZE_MIB, windowMs })
}
