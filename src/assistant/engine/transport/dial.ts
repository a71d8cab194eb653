import { lookup, type LookupAddress } from 'node:dns'
import { connect, isIP, type LookupFunction, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import type { TcpClientSpec, TlsSpec } from '../../shared/spec.ts'
import { clientTlsOptions, type TlsMaterial } from '../../../tcp/tls.ts'
import type { Targets } from '../targets.ts'
import { notice } from '../../shared/notice.ts'
import { AssistantError } from '../errors.ts'

export const CONNECT_SECONDS = 10

type Place = Pick<TcpClientSpec, 'host' | 'port' | 'localHost' | 'localPort' | 'tls'>

/**
 * Connects. A name is looked up once, and what it stands for is what is judged and dialled.
 * @throws AssistantError when the target must not be dialled
 */
export function dial(
  place: Place,
  targets: Targets,
  hooks: { connected: (socket: Socket) => void; failed: (error: unknown) => void },
): Socket {
  const { host, port, localHost, localPort, tls } = place
  if (isIP(host) !== 0) {
    const refusal = targets.refuse(host, port)
    if (refusal) throw new AssistantError(refusal)
  }
  const options = {
    host,
    port,
    allowHalfOpen: true,
    lookup: lookupAllowed(targets, port),
    ...(localHost ? { localAddress: localHost } : {}),
    ...(localPort ? { localPort } : {}),
  }
  const socket = tls ? connectTls({ ...options, ...clientTlsOptions(tlsMaterial(tls), { host, port }) }) : connect(options)
  let over = false
  const timer = setTimeout(
    () => socket.destroy(new AssistantError(notice('TIMED_OUT', { host, port, seconds: CONNECT_SECONDS }))),
    CONNECT_SECONDS * 1000,
  )
  const fail = (error: unknown) => {
    clearTimeout(timer)
    if (over) return
    over = true
    hooks.failed(error)
  }
  const onError = (error: Error) => fail(error)
  const onClose = () => fail(undefined)
  socket.on('error', onError)
  socket.once('close', onClose)
  socket.once(tls ? 'secureConnect' : 'connect', () => {
    clearTimeout(timer)
    over = true
    hooks.connected(socket)
    socket.off('error', onError)
    socket.off('close', onClose)
  })
  return socket
}

export function tlsMaterial({ cert, key, passphrase, ca, verify = true, servername }: TlsSpec): TlsMaterial {
  return {
    ...(cert ? { cert } : {}),
    ...(key ? { key } : {}),
    ...(passphrase ? { passphrase } : {}),
    ...(ca ? { ca } : {}),
    ...(servername ? { servername } : {}),
    rejectUnauthorized: verify,
  }
}

/** Gives only addresses that may be dialled. */
export function lookupAllowed(targets: Targets, port: number): LookupFunction {
  return (host, options, callback) => {
    lookup(host, { ...options, all: true }, (error, addresses: LookupAddress[] = []) => {
      if (error) return callback(error, '', 0)
      const allowed = addresses.filter(({ address }) => targets.refuse(address, port) === undefined)
      const [first] = allowed
      if (first === undefined) {
        const refusal = targets.refuse(addresses[0]?.address ?? '', port, host)!
        return callback(new AssistantError(refusal), '', 0)
      }
      if (options.all) callback(null, allowed)
      else callback(null, first.address, first.family)
    })
  }
}
