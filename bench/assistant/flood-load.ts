// Sends numbered lines at a steady pace over some connections: `node flood-load.ts JOB`.
import { once } from 'node:events'
import { openMany } from '../clients.ts'
import { answerLoad } from '../run-load.ts'

/** `name` stands in front of each line, no other flood of the log may have it. `bytes`: the length of a line, from and to, its end included. */
export type FloodJob = { name: string; port: number; connections: number; perSecond: number; seconds: number; bytes: [number, number] }
/** `sent`: lines of each connection. `seconds`: until the last one had left. */
export type FloodOutcome = { name: string; sent: number[]; bytes: number; seconds: number }

const TICK_MS = 1
const MS_PER_SECOND = 1000

if (import.meta.main) answerLoad(flood)

async function flood({ name, port, connections, perSecond, seconds, bytes: [shortest, longest] }: FloodJob): Promise<FloodOutcome> {
  const sockets = await openMany(port, connections)
  for (const socket of sockets) socket.resume()
  const sent = sockets.map(() => 0)
  const planned = perSecond * seconds
  const { promise: allSent, resolve } = Promise.withResolvers<void>()
  const start = performance.now()
  let count = 0
  let bytes = 0
  const timer = setInterval(() => {
    // What was late is made up for.
    const due = Math.min(planned, Math.floor(((performance.now() - start) / MS_PER_SECOND) * perSecond))
    for (; count < due; count += 1) {
      const connection = count % connections
      const line = formatLine([name, connection, sent[connection]!], shortest + (count % (longest - shortest + 1)))
      sockets[connection]!.write(line)
      sent[connection]! += 1
      bytes += line.length
    }
    if (count >= planned) resolve()
  }, TICK_MS)
  await allSent
  clearInterval(timer)
  await Promise.all(sockets.map((socket) => new Promise<void>((done) => void socket.end(done))))
  const took = (performance.now() - start) / MS_PER_SECOND
  for (const socket of sockets) if (!socket.closed) await once(socket, 'close')
  return { name, sent, bytes, seconds: took }
}

function formatLine(head: (string | number)[], length: number): string {
  return `${`${head.join(' ')} `.padEnd(length - 1, 'x')}\n`
}
