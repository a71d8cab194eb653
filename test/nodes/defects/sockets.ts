import { setTimeout as sleep } from 'node:timers/promises'
import { docker } from '../../support/containers.ts'
import { newContainer } from '../../support/runtimes.ts'
import { TcpClient } from '../../../src/testing/tcp-client.ts'
import { flowOf, Tab } from '../flow-builder.ts'
import { comesTrue, open, type Defect, type DefectContext } from './defect.ts'

const TICKS_PER_SECOND = 100
const REPLY_BYTES = 16_000_000
// How long the client waits after SIGTERM before it reads: longer than Node-RED needs to close its nodes.
const LATE_MS = 1_500

/** Seconds until the kernel probes the one connection to a port, as it counts in the container's /proc/net. */
async function keepAliveOf({ nodeRed }: DefectContext, port: number): Promise<number> {
  const table = await docker('exec', nodeRed.getId(), 'cat', '/proc/net/tcp', '/proc/net/tcp6')
  const place = `:${port.toString(16).toUpperCase().padStart(4, '0')}`
  const row = table
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .find(([, local = '', , state]) => local.endsWith(place) && state === '01')
  const [timer, ticks] = (row?.[5] ?? '').split(':')
  return timer === '02' ? parseInt(ticks!, 16) / TICKS_PER_SECOND : Infinity
}

/** What becomes of connections that live long, or to the end. */
export const sockets: Defect[] = [
  {
    name: 'a peer that has vanished is looked for after two minutes, whatever is asked',
    core: true,
    hardened: false,
    async see(context) {
      const { nodeRed, admin } = context
      const tab = new Tab('one')
      tab.tcpIn({ port: '9504', keepAlive: '20' })
      await admin.deploy(flowOf(tab))
      await using _client = await open(nodeRed, 9504)
      return (await keepAliveOf(context, 9504)) > 60
    },
  },
  {
    name: 'SIGTERM cuts a long reply off with an orderly end',
    core: 'ended too early',
    hardened: 'whole',
    async see({ mode }) {
      await using nodeRed = await newContainer().withEnvironment({ TCP_NODES: mode }).withExposedPorts(9504).start()
      const admin = await nodeRed.admin
      const tab = new Tab('one')
      const text = `$pad("", ${REPLY_BYTES}, "x")`
      const grow = tab.add('change', { rules: [{ t: 'set', p: 'payload', pt: 'msg', to: text, tot: 'jsonata' }] }, tab.tcpOut({}))
      tab.tcpIn({ port: '9504' }, grow)
      await admin.deploy(flowOf(tab))
      const probe = await open(nodeRed, 9504)
      probe.reset()
      // Straight to the container: a relay's buffers would hide what the container does.
      await using client = await TcpClient.connect(9504, nodeRed.getIpAddress(nodeRed.getNetworkNames()[0]!))
      await client.send('ask')
      // The first bytes are there: the reply is on its way.
      await client.read(1)
      client.socket.pause()
      const stopped = docker('stop', '--time', '20', nodeRed.getId())
      await sleep(LATE_MS)
      client.socket.resume()
      await comesTrue(() => client.isClosed, 15_000)
      await stopped
      if (client.wasReset) return 'reset'
      return client.available === REPLY_BYTES - 1 ? 'whole' : 'ended too early'
    },
  },
]
