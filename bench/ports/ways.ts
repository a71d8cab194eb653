import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { networkInterfaces } from 'node:os'
import { echoes } from '../../test/ports/support/flows.ts'
import { freePorts, reach, type PortsProject } from '../../test/ports/support/project.ts'
import { CHUNK_BYTES, MESSAGE_BYTES } from '../clients.ts'
import { median } from '../figures.ts'

const MIB = 1024 * 1024

export const WAYS = ['range', 'forwarder'] as const
export type Way = (typeof WAYS)[number]

/** What one way achieves in one round: MiB/s through an echo on one connection, and the median time of a message there and back in µs. */
export type WayFigures = { throughput: number; latency: number }

/** Measures an echo behind a port of the container's own and behind a forwarder, in turn. `watch` has to run. */
export async function measureWays(
  project: PortsProject,
  { rounds, windowMs, signal }: { rounds: number; windowMs: number; signal: AbortSignal },
): Promise<Record<Way, WayFigures[]>> {
  const [outside = 0] = await freePorts(1)
  const ports = { range: project.first, forwarder: outside }
  await project.deploy(echoes(Object.values(ports)))
  const figures: Record<Way, WayFigures[]> = { range: [], forwarder: [] }
  for (const port of Object.values(ports)) await (await reach(port)).client[Symbol.asyncDispose]()
  for (let round = 0; round < rounds; round += 1) {
    for (const way of round % 2 === 0 ? WAYS : WAYS.toReversed()) {
      signal.throwIfAborted()
      const socket = await open(ports[way])
      const latency = await measureLatency(socket, windowMs)
      const throughput = await measureEcho(socket, windowMs)
      socket.destroy()
      figures[way].push({ throughput, latency })
    }
  }
  return figures
}

/** By the address that other machines use: at 127.0.0.1 a program of Docker's would be in between, which they do not meet. */
export function lanAddress(): string {
  const all = Object.entries(networkInterfaces()).filter(([name]) => !/^(docker|br-|veth)/.test(name))
  const found = all.flatMap(([, addresses]) => addresses ?? []).find(({ family, internal }) => family === 'IPv4' && !internal)
  return found?.address ?? '127.0.0.1'
}

async function open(port: number): Promise<Socket> {
  const host = lanAddress()
  const socket = connect({ port, host, localAddress: host, noDelay: true })
  await once(socket, 'connect')
  return socket
}

async function measureLatency(socket: Socket, windowMs: number): Promise<number> {
  const message = Buffer.alloc(MESSAGE_BYTES, 'x')
  const times: number[] = []
  const until = performance.now() + windowMs
  while (performance.now() < until) {
    const from = performance.now()
    socket.write(message)
    let missing = MESSAGE_BYTES
    while (missing > 0) missing -= ((await once(socket, 'data')) as [Buffer])[0].length
    times.push((performance.now() - from) * 1000)
  }
  return median(times)
}

/** Sends as fast as it comes back, with some chunks on the way. */
async function measureEcho(socket: Socket, windowMs: number): Promise<number> {
  const chunk = Buffer.alloc(CHUNK_BYTES, 'x')
  const onTheWay = 16
  let received = 0
  let sent = 0
  const from = performance.now()
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const send = () => {
    sent += chunk.length
    socket.write(chunk)
  }
  socket.on('error', reject)
  socket.on('data', (data: Buffer) => {
    received += data.length
    const running = performance.now() - from < windowMs
    while (running && sent - received < onTheWay * CHUNK_BYTES) send()
    if (received === sent) resolve()
  })
  for (let index = 0; index < onTheWay; index += 1) send()
  await promise
  return received / MIB / ((performance.now() - from) / 1000)
}
