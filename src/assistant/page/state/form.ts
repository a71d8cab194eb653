import type { EndpointKind, EndpointSpec } from '../../shared/spec.ts'
import type { Key } from '../i18n/catalog.ts'
import { network } from './settings.ts'

export const KIND_NAMES: Record<EndpointKind, Key> = {
  'tcp-client': 'kind.tcp-client',
  'tcp-server': 'kind.tcp-server',
  udp: 'kind.udp',
  tap: 'kind.tap',
}

/** Shows the settings of an endpoint in the form. */
export function fillForm(spec: EndpointSpec): void {
  network.kind = spec.kind
  network.tls = 'tls' in spec && spec.tls !== undefined
  if (spec.kind === 'tcp-server') {
    network.localHost = spec.host ?? ''
    network.localPort = String(spec.port)
    return
  }
  network.localHost = spec.localHost ?? ''
  network.host = spec.host ?? ''
  network.port = spec.kind === 'tap' ? String(spec.targetPort) : String(spec.port ?? '')
  if (spec.kind === 'tap') network.localPort = String(spec.port)
  if (spec.kind === 'udp') {
    network.localPort = String(spec.localPort)
    network.broadcast = spec.broadcast ?? false
    network.multicast = spec.multicast ?? ''
  }
  if (spec.kind === 'tcp-client') {
    network.reconnect = spec.reconnectMs !== undefined
    network.verify = spec.tls?.verify ?? true
    network.servername = spec.tls?.servername ?? ''
  }
}

/** An endpoint in a few characters. */
export function addressOf(spec: EndpointSpec): string {
  switch (spec.kind) {
    case 'tcp-client':
      return `${spec.host}:${spec.port}`
    case 'tcp-server':
      return `:${spec.port}`
    case 'udp':
      return spec.host === undefined ? `:${spec.localPort}` : `:${spec.localPort} → ${spec.host}:${spec.port}`
    case 'tap':
      return `:${spec.port} → ${spec.host}:${spec.targetPort}`
  }
}
