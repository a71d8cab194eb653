// Sends as fast as it is taken, on one connection: `node send-load.ts JOB`.
import { CHUNK_BYTES, open, writeAll } from '../clients.ts'
import { answerLoad } from '../run-load.ts'
import type { Measurement } from '../workload.ts'

export type SendJob = { port: number; windowMs: number }

const MIB = 1024 * 1024

if (import.meta.main)
  answerLoad(async ({ port, windowMs }: SendJob): Promise<Measurement> => {
    const chunk = Buffer.alloc(CHUNK_BYTES, 'x')
    const socket = await open(port)
    let mib = 0
    const start = performance.now()
    for (; performance.now() - start < windowMs; mib += 1) await writeAll(socket, MIB, chunk)
    const value = mib / ((performance.now() - start) / 1000)
    socket.resetAndDestroy()
    return { value }
  })
