import { once } from 'node:events'
import { connect } from 'node:tls'
import { formatProxyHeader } from '../../../src/tcp/proxy-protocol.ts'
import type { FlowNode } from '../../../src/testing/admin-client.ts'
import { createAuthority } from '../../../src/testing/certificates.ts'
import { TcpClient } from '../../../src/testing/tcp-client.ts'
import { flowOf, Tab, tlsConfig } from '../flow-builder.ts'

/** A listener that echoes; `part` is the beginning of a frame, of a header or of a handshake. */
export type Listener = { name: string; port: number; node: Record<string, unknown>; greeting: Buffer; answer: Buffer; part: Buffer }

const NAME = 'node-red.test'
const ping = Buffer.from('ping')
const header = formatProxyHeader({
  version: 1,
  sourceAddress: '198.51.100.7',
  sourcePort: 4711,
  destinationAddress: '203.0.113.1',
  destinationPort: 9508,
})
const frame = (bytes: string) => ({ greeting: Buffer.from(bytes), answer: Buffer.from(bytes), part: Buffer.from(bytes.slice(0, -2)) })
const maxFrame = '1000'

export const listeners: Listener[] = [
  { name: 'plain', port: 9504, node: {}, greeting: ping, answer: ping, part: Buffer.alloc(0) },
  { name: 'lines', port: 9505, node: { datatype: 'utf8', newline: '\\n', trim: true, maxFrame }, ...frame('ping\n') },
  { name: 'length', port: 9506, node: { framing: 'length', lengthSize: '2', maxFrame }, ...frame('\0\u0004ping') },
  {
    name: 'marker',
    port: 9507,
    node: { framing: 'marker', frameStart: '0x02', frameEnd: '0x03', trim: true, maxFrame },
    ...frame('\u0002ping\u0003'),
  },
  {
    name: 'proxy',
    port: 9508,
    node: { proxyTrusted: '172.16.0.0/12' },
    greeting: Buffer.concat([header, ping]),
    answer: ping,
    part: header.subarray(0, 20),
  },
  {
    name: 'secure',
    port: 9509,
    node: { tls: 'tls-1' },
    greeting: ping,
    answer: ping,
    // What a ClientHello begins with: a record of 512 bytes.
    part: Buffer.from('1603010200010001fc0303', 'hex'),
  },
]

const { ca, issue } = createAuthority()

/** An echo on each, and a Catch node for whatever goes wrong with the replies. */
export function echoes(): FlowNode[] {
  const tab = new Tab('hostile')
  tab.watch()
  for (const { name, port, node } of listeners) tab.tcpIn({ name, port: String(port), ...node }, tab.tcpOut({}))
  return [...flowOf(tab), tlsConfig(issue(NAME), { ca })]
}

/** A decent client: connects, says its greeting, and waits for the answer. */
export async function greet({ port, node, greeting, answer }: Listener, host: string): Promise<void> {
  await using client = node.tls ? await connectSecurely(port, host) : await TcpClient.connect(port, host)
  await client.send(greeting)
  await client.expect(answer)
}

export async function connectSecurely(port: number, host: string): Promise<TcpClient> {
  const socket = connect({ port, host, servername: NAME, ca })
  await once(socket, 'secureConnect')
  return new TcpClient(socket)
}
