import { flowOf, Tab } from '../flow-builder.ts'
import { TcpPeer } from '../../../src/testing/tcp-peer.ts'
import { comesTrue, firstOf, metricOf, open, type Defect, type DefectContext } from './defect.ts'

const HOST = 'host.docker.internal'
const MIB = 1024 * 1024
const SENT_MIB = 100

/** How many bytes have come in on a port, all connections together. */
async function bytesReceived({ nodeRed }: DefectContext, port: number): Promise<number> {
  const sessions = (await (await fetch(`${nodeRed.getStatusUrl()}/sessions`)).json()) as { localPort: number; bytesIn: number }[]
  return sessions.filter(({ localPort }) => localPort === port).reduce((sum, { bytesIn }) => sum + bytesIn, 0)
}

/** Messages that are lost on their way out, or pile up. */
export const sending: Defect[] = [
  {
    name: 'a message to a peer that is not there counts as sent',
    core: 'completed',
    hardened: 'caught',
    async see({ admin, debug }) {
      const tab = new Tab('one')
      const out = tab.tcpOut({ beserver: 'client', host: HOST, port: '1' })
      tab.watch(out)
      tab.text('send', 'nobody hears', out)
      await admin.deploy(flowOf(tab))
      await admin.inject('send')
      return await firstOf(debug, ['caught', 'completed'])
    },
  },
  {
    name: 'a client does not notice that its peer has ended',
    core: 'stuck',
    hardened: 'connects again',
    async see({ admin }) {
      await using peer = await TcpPeer.listen()
      const tab = new Tab('one')
      tab.tcpOut({ beserver: 'client', host: HOST, port: String(peer.port) })
      await admin.deploy(flowOf(tab))
      const first = await peer.accept()
      await first.send('banner')
      first.end()
      // Awaited here: the peer is gone when this scope ends.
      return await peer.accept({ within: 3_000 }).then(
        () => 'connects again',
        () => 'stuck',
      )
    },
  },
  {
    name: 'what a slow client does not take piles up in memory',
    core: true,
    hardened: false,
    async see(context) {
      const { nodeRed, admin } = context
      const tab = new Tab('one')
      tab.tcpIn({ port: '9504' }, tab.tcpOut({ beserver: 'server', port: '9505' }))
      await admin.deploy(flowOf(tab))
      await using slow = await open(nodeRed, 9505)
      slow.socket.pause()
      await using source = await open(nodeRed, 9504)
      const before = await metricOf(context, 'process_resident_memory_bytes')
      const block = Buffer.alloc(MIB, 'x')
      for (let sent = 0; sent < SENT_MIB; sent += 1) await source.send(block)
      const hasRead = async () => (await bytesReceived(context, 9504)) === SENT_MIB * MIB
      if (!(await comesTrue(hasRead, 20_000))) throw new Error('what was sent was not read')
      return (await metricOf(context, 'process_resident_memory_bytes')) - before > 60 * MIB
    },
  },
  {
    name: 'a peer that sends and closes is dialled again every few milliseconds',
    core: true,
    hardened: false,
    async see({ admin }) {
      await using peer = await TcpPeer.listen()
      const tab = new Tab('one')
      tab.tcpIn({ server: 'client', host: HOST, port: String(peer.port), datamode: 'single' }, tab.debug('seen'))
      await admin.deploy(flowOf(tab))
      let connections = 0
      const end = Date.now() + 2_000
      while (Date.now() < end) {
        const client = await peer.accept({ within: 2_000 }).catch(() => undefined)
        if (!client) break
        connections += 1
        client.socket.end('x')
      }
      await admin.deploy([])
      return connections > 25
    },
  },
]
