import { MESSAGE_BYTES, measureRate, open, openMany, probe } from '../clients.ts'
import { chain, tcpIn, tcpOutServer } from '../flows.ts'
import { listen, listenForReceivers, onLines } from '../servers.ts'
import type { LoadContext, Measurement, Workload } from '../workload.ts'

const RECEIVERS = 100
const WINDOW_MESSAGES = 4
const MESSAGE = Buffer.from(`${'x'.repeat(MESSAGE_BYTES - 1)}\n`)

/** One sender, many receivers. Messages are lines, so that two that are read at once stay two. */
export const broadcast: Workload = {
  name: 'broadcast',
  title: `Broadcast of ${MESSAGE_BYTES}-byte messages to ${RECEIVERS} clients, ${WINDOW_MESSAGES} in flight`,
  metric: 'deliveries',
  unit: 'deliveries/s',
  higherIsBetter: true,
  goals: [{ atLeast: 1, times: 'core' }],
  timeoutMs: 60_000,
  flow: (ports) => chain(tcpIn(ports.in, { datamode: 'stream', datatype: 'utf8', trim: true }), tcpOutServer(ports.out)),
  serve(ports) {
    const receivers = listenForReceivers(ports.out)
    listen(ports.in, (socket) =>
      onLines(socket, (line) => {
        const message = Buffer.from(`${line}\n`)
        for (const receiver of receivers) receiver.write(message)
      }),
    )
  },
  load,
}

async function load({ ports, windowMs }: LoadContext): Promise<Measurement> {
  const receivers = await openMany(ports.out, RECEIVERS)
  const sender = await open(ports.in)
  const heard = new Set<number>()
  let receivedBytes = 0
  let onReceived = () => {}
  for (const [index, socket] of receivers.entries()) {
    socket.on('data', (chunk) => {
      heard.add(index)
      receivedBytes += chunk.length
      onReceived()
    })
  }
  await probe(
    () => void sender.write(MESSAGE),
    () => heard.size === RECEIVERS,
  )

  receivedBytes = 0
  let sent = 0
  onReceived = () => {
    const delivered = Math.floor(receivedBytes / (MESSAGE_BYTES * RECEIVERS))
    for (; sent < delivered + WINDOW_MESSAGES; sent += 1) sender.write(MESSAGE)
  }
  onReceived()
  return measureRate(() => receivedBytes / MESSAGE_BYTES, windowMs)
}
