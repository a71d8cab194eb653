import type { Socket } from 'node:net'
import type { TcpClientSpec } from '../../shared/spec.ts'
import { dial } from './dial.ts'
import { attachSocket } from './tcp-peer.ts'
import type { Host, Transport } from './transport.ts'
import { notice, type Notice } from '../../shared/notice.ts'
import { noticeOfSocketError } from '../errors.ts'

/** Connects, and again when that is wanted. */
export function startTcpClient(spec: TcpClientSpec, host: Host): Transport {
  const { reconnectMs = 0 } = spec
  let socket: Socket | undefined
  let timer: NodeJS.Timeout | undefined
  let closed = false

  function open(): void {
    try {
      socket = dial(spec, host.targets, { connected, failed })
    } catch (error) {
      host.failed(noticeOfSocketError(error, spec))
    }
  }

  function connected(socket: Socket): void {
    if (closed) return void socket.destroy()
    host.opened({ address: socket.localAddress ?? '', port: socket.localPort ?? 0 })
    attachSocket(socket, host, { onGone: () => again() })
  }

  function failed(error: unknown): void {
    const problem =
      error === undefined
        ? notice('CONNECTION_LOST', { peer: `${spec.host}:${spec.port}`, reason: 'closed' })
        : noticeOfSocketError(error, spec)
    if (closed) return
    if (reconnectMs === 0) host.failed(problem)
    else again(problem)
  }

  function again(problem?: Notice): void {
    if (closed) return
    if (reconnectMs === 0) return host.closed()
    host.waiting(reconnectMs, problem)
    timer = setTimeout(open, reconnectMs)
  }

  open()
  return {
    close() {
      closed = true
      clearTimeout(timer)
      if (socket?.connecting) socket.destroy()
    },
  }
}
