// What the loads have in common.
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Measurement } from './workload.ts'

const WARM_UP_MS = 1_000
// Below the backlog of a Node server, 511, so that no SYN is dropped and tried again a second later.
const CONNECT_BATCH = 100
const PROBE_MS = 300

export const MESSAGE_BYTES = 64
export const CHUNK_BYTES = 64 * 1024

/** Connects; an error of the socket ends the load, unless the caller says what else to do. */
export async function open(port: number, { onError = raise }: { onError?: (error: Error) => void } = {}): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true })
  socket.on('error', onError)
  await once(socket, 'connect')
  return socket
}

export async function openMany(port: number, count: number): Promise<Socket[]> {
  const sockets: Socket[] = []
  while (sockets.length < count) {
    const batch = Math.min(CONNECT_BATCH, count - sockets.length)
    sockets.push(...(await Promise.all(Array.from({ length: batch }, () => open(port)))))
  }
  return sockets
}

/** Closes with RST, so that thousands of sockets in TIME_WAIT do not weigh on the next measurement. */
export function resetAll(sockets: readonly Socket[]): void {
  for (const socket of sockets) socket.resetAndDestroy()
}

/** Sends as fast as the socket takes it. */
export async function writeAll(socket: Socket, bytes: number, chunk: Buffer): Promise<void> {
  for (let left = bytes; left > 0; left -= chunk.length) {
    const part = left < chunk.length ? chunk.subarray(0, left) : chunk
    if (!socket.write(part)) await once(socket, 'drain')
  }
}

/** How fast a count grows per second, after a warm-up. */
export async function measureRate(count: () => number, windowMs: number): Promise<Measurement> {
  await sleep(WARM_UP_MS)
  const from = count()
  const start = performance.now()
  await sleep(windowMs)
  const grown = count() - from
  if (grown === 0) throw new Error(`nothing came back within ${windowMs} ms; ${from} had come during the warm-up`)
  return { value: (grown * 1000) / (performance.now() - start) }
}

/** How many MiB per second transfers of a size make, one after the other; at least one. */
export async function measureThroughput(
  transfer: () => Promise<void>,
  { mib, windowMs }: { mib: number; windowMs: number },
): Promise<Measurement> {
  let transfers = 0
  const start = performance.now()
  do {
    await transfer()
    transfers += 1
  } while (performance.now() - start < windowMs)
  return { value: (mib * transfers * 1000) / (performance.now() - start) }
}

/** A receiver is connected before the server has accepted it, and would miss what is sent in between: asks until everybody has heard. */
export async function probe(send: () => void | Promise<void>, everybodyHeard: () => boolean): Promise<void> {
  do {
    await send()
    await sleep(PROBE_MS)
  } while (!everybodyHeard())
  // What a probe too many has caused is still on its way.
  await sleep(PROBE_MS)
}

function raise(error: Error): never {
  throw error
}
