import { createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { createServer as createTlsServer } from 'node:tls'
import { normalizeAddress } from '../../../tcp/access-list.ts'
import { markAsTried } from '../../../tcp/observer.ts'
import { assertTlsMaterial } from '../../../tcp/tls.ts'
import type { TcpServerSpec, TlsSpec } from '../../shared/spec.ts'
import { tlsMaterial } from './dial.ts'
import { attachSocket } from './tcp-peer.ts'
import type { Host, Transport } from './transport.ts'
import { notice } from '../../shared/notice.ts'
import { AssistantError, noticeOfSocketError } from '../errors.ts'

/** Listens for any number of peers, within the limits. */
export function startTcpServer(spec: TcpServerSpec, host: Host): Transport {
  return listen(spec, host, (socket) => void attachSocket(socket, host))
}

type Listening = { port: number; host?: string; tls?: TlsSpec }

export function listen(spec: Listening, host: Host, onSocket: (socket: Socket) => void): Transport {
  const failed = (error: unknown) => host.failed(noticeOfSocketError(error, { host: spec.host ?? '', port: spec.port }))
  let server: Server
  try {
    server = spec.tls ? tlsServer(spec.tls, host, onSocket) : createServer({ allowHalfOpen: true }, onSocket)
  } catch (error) {
    failed(error)
    return { close() {} }
  }
  markAsTried(server)
  server.on('error', failed)
  server.listen({ port: spec.port, ...(spec.host ? { host: spec.host } : {}) }, () => {
    const { address, port } = server.address() as AddressInfo
    host.opened({ address, port })
  })
  return { close: () => void server.close() }
}

function tlsServer(tls: TlsSpec, host: Host, onSocket: (socket: Socket) => void): Server {
  if (!tls.cert || !tls.key) throw new AssistantError(notice('TLS_NEEDS_CERTIFICATE'))
  const material = { ...tlsMaterial(tls), requestCert: tls.verify === true, rejectUnauthorized: tls.verify === true }
  try {
    assertTlsMaterial(material, { server: true })
  } catch (error) {
    throw new AssistantError(notice('TLS_FAILED', { reason: (error as Error).message }))
  }
  const server = createTlsServer({ ...material, allowHalfOpen: true }, onSocket)
  server.on('tlsClientError', (error, socket) => {
    host.note('', notice('TLS_FAILED', { reason: `${normalizeAddress(socket.remoteAddress ?? '')}: ${error.message}` }))
  })
  return server
}
