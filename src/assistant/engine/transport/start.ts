import type { EndpointSpec } from '../../shared/spec.ts'
import { startTap } from './tap.ts'
import { startTcpClient } from './tcp-client.ts'
import { startTcpServer } from './tcp-server.ts'
import { startUdp } from './udp.ts'
import type { Host, Transport } from './transport.ts'

export function startTransport(spec: EndpointSpec, host: Host): Transport {
  switch (spec.kind) {
    case 'tcp-client':
      return startTcpClient(spec, host)
    case 'tcp-server':
      return startTcpServer(spec, host)
    case 'udp':
      return startUdp(spec, host)
    case 'tap':
      return startTap(spec, host)
  }
}
