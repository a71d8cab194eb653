import { CHUNK_BYTES, measureThroughput, open, writeAll } from '../clients.ts'
import { DONE, openControl } from '../control.ts'
import { chain, setPayload, tcpIn, tcpOutServer } from '../flows.ts'
import { listen, listenForReceivers, onLines } from '../servers.ts'
import type { LoadContext, Measurement, Workload } from '../workload.ts'

const SIZE_MIB = 8
const SIZE_BYTES = SIZE_MIB * 1024 * 1024
const WARM_UP_BYTES = 1024 * 1024

/** A line whose delimiter is long in coming. */
export const longLine: Workload = {
  name: 'long-line',
  title: `A line of ${SIZE_MIB} MiB in chunks of 64 KiB, from the first byte sent to the message in the flow`,
  metric: 'throughput',
  unit: 'MiB/s',
  higherIsBetter: true,
  goals: [{ atLeast: 20, times: 'core' }],
  timeoutMs: 240_000,
  flow: (ports) => chain(tcpIn(ports.in, { datamode: 'stream', datatype: 'utf8' }), setPayload(DONE), tcpOutServer(ports.out)),
  serve(ports) {
    const receivers = listenForReceivers(ports.out)
    listen(ports.in, (socket) =>
      onLines(socket, () => {
        for (const receiver of receivers) receiver.write(DONE)
      }),
    )
  },
  load,
}

async function load({ ports, windowMs }: LoadContext): Promise<Measurement> {
  const chunk = Buffer.alloc(CHUNK_BYTES, 'x')
  const sender = await open(ports.in)
  const transfer = await openControl(ports.out, async (bytes) => {
    await writeAll(sender, bytes - 1, chunk)
    sender.write('\n')
  })
  await transfer(WARM_UP_BYTES)
  return measureThroughput(() => transfer(SIZE_BYTES), { mib: SIZE_MIB, windowMs })
}
