import { once } from 'node:events'
import { type AddressInfo } from 'node:net'
import { connect, createServer } from 'node:tls'
import { createAuthority } from '../../../src/testing/certificates.ts'
import { logsOf } from '../../support/containers.ts'
import { flowOf, Tab, tlsConfig } from '../flow-builder.ts'
import { comesTrue, firstOf, open, type Defect, type DefectContext } from './defect.ts'

const HOST = 'host.docker.internal'
const NAME = 'node-red.test'

const { ca, issue } = createAuthority()

async function listenSecurely({ admin, nodeRed }: DefectContext, properties: Record<string, unknown> = {}): Promise<void> {
  const tab = new Tab('one')
  tab.tcpIn({ port: '9504', tls: 'tls-1', name: 'secure one', ...properties }, tab.tcpOut({}))
  await admin.deploy([...flowOf(tab), tlsConfig(issue(NAME), { ca })])
  const probe = await open(nodeRed, 9504)
  probe.reset()
}

/** Who is let in, and what of it is seen. */
export const secure: Defect[] = [
  {
    name: 'tcp request believes any certificate',
    core: 'seen',
    hardened: 'caught',
    async see({ admin, debug }) {
      const stranger = createServer(createAuthority().issue('stranger.test'), (socket) => {
        socket.on('error', () => {})
        socket.on('data', () => socket.write('answer\n'))
      }).listen(0, '0.0.0.0')
      stranger.on('tlsClientError', () => {})
      await once(stranger, 'listening')
      const { port } = stranger.address() as AddressInfo
      const tab = new Tab('one')
      const request = tab.tcpRequest(
        { server: HOST, port: String(port), out: 'char', splitc: '\\n', ret: 'string', tls: 'tls-1' },
        tab.debug('seen', 'payload'),
      )
      tab.text('ask', 'ask', request)
      tab.watch()
      await admin.deploy([...flowOf(tab), tlsConfig(undefined, { ca })])
      await admin.inject('ask')
      const first = await firstOf(debug, ['seen', 'caught'], 5_000)
      stranger.close()
      return first
    },
  },
  {
    name: 'nobody is asked for a certificate',
    core: 'gets in',
    hardened: 'is refused',
    async see(context) {
      await listenSecurely(context, { clientCert: 'require' })
      const { nodeRed } = context
      const socket = connect({ port: nodeRed.getMappedPort(9504), host: nodeRed.getHost(), servername: NAME, ca })
      socket.write('let me in')
      const answered = once(socket, 'data').then(
        () => 'gets in',
        () => 'is refused',
      )
      return await answered.finally(() => socket.destroy())
    },
  },
  {
    name: 'a handshake that fails leaves nothing in the log',
    core: false,
    hardened: true,
    async see(context) {
      // Its own probe ends in the middle of a handshake; a client that speaks no TLS does too.
      await listenSecurely(context, { name: 'wary one' })
      await using client = await context.nodeRed.tcp(9504)
      await client.send('this is no TLS\n')
      await client.expectClose()
      const isLogged = async () => /\[tcp in:wary one\].*TLS handshake failed/.test(await logsOf(context.nodeRed.getId()))
      return await comesTrue(isLogged, 1_500)
    },
  },
]
