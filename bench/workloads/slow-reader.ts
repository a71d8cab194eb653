import { once } from 'node:events'
import type { Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { open, probe } from '../clients.ts'
import { chain, tcpIn, tcpOutServer } from '../flows.ts'
import { readSettledRss, watchPeakRss } from '../memory.ts'
import { listen, listenForReceivers } from '../servers.ts'
import type { LoadContext, Measurement, Workload } from '../workload.ts'

const MB = 1_000_000
const TOTAL_MB = 300
// A server that respects back pressure takes no more once the reader's buffers are full.
const STALL_MS = 3_000
const AFTERMATH_MS = 1_000

/** A receiver that reads nothing while a sender sends as fast as it can. */
export const slowReader: Workload = {
  name: 'slow-reader',
  title: `${TOTAL_MB} MB sent to a client that does not read, peak growth of the server's memory`,
  metric: 'peak memory growth',
  unit: 'MB',
  higherIsBetter: false,
  goals: [{ atMost: 32 }],
  freshProcess: true,
  timeoutMs: 120_000,
  flow: (ports) => chain(tcpIn(ports.in, { datamode: 'stream', datatype: 'buffer' }), tcpOutServer(ports.out)),
  serve(ports) {
    const receivers = listenForReceivers(ports.out)
    listen(ports.in, (source) => source.on('data', (chunk) => relay(source, receivers, chunk)))
  },
  load,
}

/** Writes to all, and reads on once the slowest has taken it, or has gone. */
function relay(source: Socket, receivers: ReadonlySet<Socket>, chunk: Buffer): void {
  const readOn = () => {
    if (![...receivers].some((receiver) => receiver.writableNeedDrain)) source.resume()
  }
  for (const receiver of receivers) {
    if (receiver.write(chunk)) continue
    source.pause()
    receiver.once('drain', readOn)
    receiver.once('close', readOn)
  }
}

async function load({ ports, pid }: LoadContext): Promise<Measurement> {
  const sender = await open(ports.in)
  await warmUp(sender, ports.out)
  const before = await readSettledRss(pid)
  // It may well be disconnected: that is one way to keep memory bounded.
  const reader = await open(ports.out, { onError: () => {} })
  reader.pause()
  await sleep(AFTERMATH_MS)
  const peak = watchPeakRss(pid)
  await sendAll(sender)
  await sleep(AFTERMATH_MS)
  return { value: (peak.stop() - before) / MB }
}

async function warmUp(sender: Socket, port: number): Promise<void> {
  const reader = await open(port)
  let heard = false
  reader.on('data', () => (heard = true))
  await probe(
    () => void sender.write(Buffer.alloc(MB)),
    () => heard,
  )
  reader.destroy()
}

async function sendAll(sender: Socket): Promise<void> {
  const chunk = Buffer.alloc(MB)
  for (let sent = 0; sent < TOTAL_MB; sent += 1) {
    if (sender.write(chunk)) continue
    const drained = await Promise.race([once(sender, 'drain').then(() => true), sleep(STALL_MS, false, { ref: false })])
    if (!drained) return
  }
}
