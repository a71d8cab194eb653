import { connect, type Socket } from 'node:net'
import type { Publication } from '../shared/facts.ts'
import { reachableAddress } from '../../text/address.ts'

const CONNECT_TIMEOUT_MS = 3_000
const MAX_KEPT_BYTES = 1024 * 1024

/** A connection made to see how far it gets. */
export type Probe = {
  connected: boolean
  /** Why it is not connected. */
  error: string | undefined
  readonly ended: boolean
  send: (bytes: Buffer) => void
  /** What has come once `until` is in it, or anything when that is undefined; at the latest after `timeoutMs`. At most 1 MiB. */
  read: (options: { until: Buffer | undefined; timeoutMs: number }) => Promise<Buffer>
  close: () => void
}

/** Connects to where a port is published on this host; resolves when that has worked or failed. */
export async function openProbe({ address, hostPort }: Publication): Promise<Probe> {
  const socket = connect({ host: reachableAddress(address), port: hostPort, noDelay: true })
  let received = Buffer.alloc(0)
  let ended = false
  let wake = () => {}
  socket.on('data', (chunk) => {
    if (received.length < MAX_KEPT_BYTES) received = Buffer.concat([received, chunk])
    wake()
  })
  for (const event of ['end', 'close']) socket.on(event, () => ((ended = true), wake()))
  const error = await settle(socket)
  return {
    connected: error === undefined,
    error,
    get ended() {
      return ended
    },
    send: (bytes) => void socket.write(bytes),
    async read({ until, timeoutMs }) {
      const deadline = Date.now() + timeoutMs
      const isThere = () => (until ? received.includes(until) : received.length > 0)
      while (!isThere() && !ended && Date.now() < deadline) {
        const { promise, resolve } = Promise.withResolvers<void>()
        const timer = setTimeout(resolve, deadline - Date.now())
        wake = resolve
        await promise
        clearTimeout(timer)
      }
      return received
    },
    close: () => socket.destroy(),
  }
}

/** Why it is not connected; undefined when it is. */
async function settle(socket: Socket): Promise<string | undefined> {
  const { promise, resolve } = Promise.withResolvers<string | undefined>()
  const timer = setTimeout(() => resolve(`no answer within ${CONNECT_TIMEOUT_MS / 1000} s`), CONNECT_TIMEOUT_MS)
  socket.once('connect', () => resolve(undefined))
  socket.on('error', (error: NodeJS.ErrnoException) =>
    resolve(error.code === 'ECONNREFUSED' ? 'nobody has it (ECONNREFUSED)' : error.message),
  )
  const outcome = await promise
  clearTimeout(timer)
  return outcome
}
