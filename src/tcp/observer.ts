import { channel, type ChannelListener } from 'node:diagnostics_channel'
import type { Server, Socket } from 'node:net'
import { createChanges } from './changes.ts'
import type { About } from './session.ts'

const MAX_LISTEN_FAILURES = 200
const MAX_COUNTED_PORTS = 1000
const OTHER_PORTS = 0
// A check whether a port is free does not listen for longer.
const PROBE_MS = 1_000

/** A TCP listener of this process. `opener`: the node that has opened it, where that is known. */
export type Listener = { address: string; port: number; since: number; sessions: number; opener: About | undefined }

/** A TCP connection of this process: `in` came to a listener, `out` was dialled. Bytes are those of the socket, TLS included. */
export type Connection = {
  id: number
  socket: Socket
  direction: 'in' | 'out'
  localAddress: string | undefined
  localPort: number | undefined
  remoteAddress: string | undefined
  remotePort: number | undefined
  since: number
  bytesIn: number
  bytesOut: number
}

export type ListenFailure = { port: number; code: string; message: string; at: number; opener: About | undefined }

/** Totals by port: the listener's for `in`, the remote one for `out`. Port 0 takes what exceeds the number of counted ports. */
export type Traffic = {
  direction: 'in' | 'out'
  port: number
  opened: number
  closed: number
  open: number
  bytesIn: number
  bytesOut: number
}

type LiveSession = {
  id: number
  direction: 'in' | 'out'
  socket: Socket
  port: number
  since: number
  remoteAddress?: string
  remotePort?: number
}
type Totals = { opened: number; closed: number; bytesIn: number; bytesOut: number }

// People try these by hand and see the result at once.
const tried = new WeakSet<Server>()

/** A server that may fail to listen without counting as a failure of this process. */
export function markAsTried(server: Server): void {
  tried.add(server)
}

/**
 * Knows every TCP listener and session of the process, whoever opened it, by Node's own diagnostics channels. `openerNow`: the node that is
 * at work, asked when something begins to listen.
 */
export function createObserver({ openerNow = () => undefined }: { openerNow?: () => About | undefined } = {}) {
  const listeners = new Map<Server, Listener>()
  const sessions = new Map<Socket, LiveSession>()
  const failures = new Map<Server, ListenFailure>()
  const openers = new WeakMap<Server, About>()
  const totals = new Map<string, Totals>()
  const listenErrors = new Map<string, number>()
  const requestedPorts = new WeakMap<Server, number>()
  const changes = createChanges()
  let nextId = 1

  function onListening({ server }: { server: Server }): void {
    const bound = server.address()
    if (bound === null || typeof bound === 'string') return
    const opener = openers.get(server)
    forgetFailures((failed, failure) => failed === server || failure.port === bound.port)
    const since = Date.now()
    listeners.set(server, { address: bound.address, port: bound.port, since, sessions: 0, opener })
    server.once('close', () => {
      listeners.delete(server)
      // A search for a free port: taken ones are not failures.
      if (Date.now() - since < PROBE_MS) forgetFailures((_, failure) => failure.opener?.node === opener?.node)
      changes.tell()
    })
    changes.tell()
  }

  function onListenError({ server, error }: { server: Server; error: NodeJS.ErrnoException & { port?: number } }): void {
    if (tried.has(server)) return
    const port = error.port ?? requestedPorts.get(server) ?? 0
    const code = error.code ?? error.name
    if (failures.size >= MAX_LISTEN_FAILURES) failures.delete(failures.keys().next().value!)
    const opener = openers.get(server)
    // Another try of the same.
    forgetFailures((_, failure) => failure.port === port && failure.opener?.node === opener?.node)
    failures.set(server, { port, code, message: error.message, at: Date.now(), opener })
    // Closed: no longer wanted.
    server.once('close', () => {
      forgetFailures((failed) => failed === server)
      changes.tell()
    })
    const key = `${countedPort('in', port)} ${code}`
    listenErrors.set(key, (listenErrors.get(key) ?? 0) + 1)
    changes.tell()
  }

  function forgetFailures(isOver: (server: Server, failure: ListenFailure) => boolean): void {
    for (const [server, failure] of failures) if (isOver(server, failure)) failures.delete(server)
  }

  function onAccepted({ socket }: { socket: Socket & { server?: Server } }): void {
    const listener = socket.server && listeners.get(socket.server)
    const port = listener?.port ?? socket.localPort
    if (port === undefined) return
    if (listener) listener.sessions += 1
    follow(socket, 'in', port, () => {
      if (listener) listener.sessions -= 1
    })
  }

  function onDialling({ socket }: { socket: Socket }): void {
    socket.once('connect', () => follow(socket, 'out', socket.remotePort ?? OTHER_PORTS))
  }

  function follow(socket: Socket, direction: 'in' | 'out', port: number, onClose?: () => void): void {
    const count = totalsOf(direction, port)
    count.opened += 1
    const { remoteAddress, remotePort } = socket
    sessions.set(socket, {
      id: nextId++,
      direction,
      socket,
      port,
      since: Date.now(),
      ...(remoteAddress === undefined ? {} : { remoteAddress }),
      ...(remotePort === undefined ? {} : { remotePort }),
    })
    socket.once('close', () => {
      sessions.delete(socket)
      count.closed += 1
      count.bytesIn += socket.bytesRead
      count.bytesOut += socket.bytesWritten
      onClose?.()
    })
  }

  function countedPort(direction: 'in' | 'out', port: number): number {
    return totals.has(`${direction} ${port}`) || totals.size < MAX_COUNTED_PORTS ? port : OTHER_PORTS
  }

  function totalsOf(direction: 'in' | 'out', port: number): Totals {
    const key = `${direction} ${countedPort(direction, port)}`
    let count = totals.get(key)
    if (!count) totals.set(key, (count = { opened: 0, closed: 0, bytesIn: 0, bytesOut: 0 }))
    return count
  }

  function traffic(): Traffic[] {
    const rows = new Map(
      [...totals].map(([key, count]) => {
        const [direction, port] = key.split(' ') as ['in' | 'out', string]
        return [key, { direction, port: Number(port), ...count, open: count.opened - count.closed }]
      }),
    )
    for (const { direction, port, socket } of sessions.values()) {
      const row = rows.get(`${direction} ${port}`) ?? rows.get(`${direction} ${OTHER_PORTS}`)
      if (!row) continue
      row.bytesIn += socket.bytesRead
      row.bytesOut += socket.bytesWritten
    }
    return [...rows.values()]
  }

  const subscriptions: [string, ChannelListener][] = [
    ['tracing:net.server.listen:asyncStart', rememberPort as ChannelListener],
    ['tracing:net.server.listen:asyncEnd', onListening as ChannelListener],
    ['tracing:net.server.listen:error', onListenError as ChannelListener],
    ['net.server.socket', onAccepted as ChannelListener],
    ['net.client.socket', onDialling as ChannelListener],
  ]
  for (const [name, listener] of subscriptions) channel(name).subscribe(listener)

  function rememberPort({ server, options }: { server: Server; options?: { port?: unknown } }): void {
    const port = Number(options?.port)
    if (Number.isInteger(port)) requestedPorts.set(server, port)
    const opener = openerNow()
    if (opener) openers.set(server, opener)
  }

  return {
    listeners: (): Listener[] => [...listeners.values()],
    sessions: (): Connection[] =>
      [...sessions.values()].map(({ id, direction, socket, since, remoteAddress, remotePort }) => ({
        id,
        socket,
        direction,
        localAddress: socket.localAddress,
        localPort: socket.localPort,
        remoteAddress,
        remotePort,
        since,
        bytesIn: socket.bytesRead,
        bytesOut: socket.bytesWritten,
      })),
    traffic,
    /** Calls back whenever a listener is added, fails or is removed. Returns a function that stops it. */
    followListeners: changes.follow,
    /** Failed attempts to listen that have not succeeded since and are still wanted. */
    listenFailures: (): ListenFailure[] => [...failures.values()],
    forgetListenFailures: (): void => failures.clear(),
    /** How often listening failed, by port and error code. */
    listenErrors: (): { port: number; code: string; count: number }[] =>
      [...listenErrors].map(([key, count]) => {
        const [port, code = ''] = key.split(' ')
        return { port: Number(port), code, count }
      }),
    stop: (): void => {
      for (const [name, listener] of subscriptions) channel(name).unsubscribe(listener)
    },
  }
}

export type Observer = ReturnType<typeof createObserver>
