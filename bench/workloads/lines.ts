import { MESSAGE_BYTES, measureRate, openMany } from '../clients.ts'
import { chain, tcpIn, tcpReply } from '../flows.ts'
import { listen, onLines } from '../servers.ts'
import type { LoadContext, Measurement, Workload } from '../workload.ts'

const CONNECTIONS = 100
const WINDOW_LINES = 16
// A window too many would be an answer to more than was asked.
const LINES = Buffer.from(`${'x'.repeat(MESSAGE_BYTES - 1)}\n`.repeat(WINDOW_LINES))

/** Every client keeps a window of lines under way; each line that comes back lets the next one go. */
export const lines: Workload = {
  name: 'lines',
  title: `Delimited ${MESSAGE_BYTES}-byte lines, each sent back; ${CONNECTIONS} connections, ${WINDOW_LINES} lines in flight on each`,
  metric: 'lines',
  unit: 'lines/s',
  higherIsBetter: true,
  goals: [{ atLeast: 1, times: 'core' }],
  timeoutMs: 60_000,
  flow: (ports) => chain(tcpIn(ports.in, { datamode: 'stream', datatype: 'utf8', trim: true }), tcpReply()),
  serve: (ports) => listen(ports.in, (socket) => onLines(socket, (line) => socket.write(`${line}\n`))),
  load,
}

async function load({ ports, windowMs }: LoadContext): Promise<Measurement> {
  let returned = 0
  for (const socket of await openMany(ports.in, CONNECTIONS)) {
    let partBytes = 0
    socket.on('data', (chunk) => {
      partBytes += chunk.length
      const whole = Math.floor(partBytes / MESSAGE_BYTES)
      if (whole === 0) return
      if (whole > WINDOW_LINES) throw new Error(`${whole} lines came back at once, of ${WINDOW_LINES} that were under way`)
      partBytes -= whole * MESSAGE_BYTES
      returned += whole
      socket.write(LINES.subarray(0, whole * MESSAGE_BYTES))
    })
    socket.write(LINES)
  }
  return measureRate(() => returned, windowMs)
}
