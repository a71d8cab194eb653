import { flowOf, Tab } from '../flow-builder.ts'
import { TcpClient } from '../../../src/testing/tcp-client.ts'
import { comesTrue, firstOf, nextOf, open, type Defect, type DefectContext } from './defect.ts'

type Listener = { port: number; role: string; state: string }

async function flowPorts({ nodeRed }: DefectContext): Promise<number[]> {
  const listeners = (await (await fetch(`${nodeRed.getStatusUrl()}/listeners`)).json()) as Listener[]
  return listeners.filter(({ role, state }) => role === 'flow' && state === 'listening').map(({ port }) => port)
}

/** Deploys a tcp in with this port and tells whether it listens anywhere. */
async function listensOn(context: DefectContext, port: string): Promise<string> {
  const tab = new Tab('one')
  tab.tcpIn({ port })
  tab.watch()
  await context.admin.deploy(flowOf(tab))
  const caught = await nextOf(context.debug, 'caught', 800)
  const ports = await flowPorts(context)
  return ports.length > 0 ? 'a random port' : caught
}

/** Listeners that fail, let in too much, or say nothing. */
export const listening: Defect[] = [
  {
    name: 'a port in use is no error that a Catch node sees, and is not tried again',
    core: ['nothing', false],
    hardened: ['caught', true],
    async see(context) {
      const { admin, debug } = context
      const [one, two] = [new Tab('one'), new Tab('two')]
      const first = one.tcpIn({ port: '9504' })
      two.tcpIn({ port: '9504', name: 'second' })
      two.watch()
      await admin.deploy(flowOf(one))
      await comesTrue(async () => (await flowPorts(context)).includes(9504))
      await admin.deploy(flowOf(one, two), 'nodes')
      const caught = await firstOf(debug, ['caught'])
      await admin.deploy(
        flowOf(one, two).filter(({ id }) => id !== first.id),
        'nodes',
      )
      return [caught, await comesTrue(async () => (await flowPorts(context)).includes(9504), 4_000)]
    },
  },
  {
    name: 'an empty port listens on a random one',
    core: 'a random port',
    hardened: 'no port is set: choose one from 1 to 65535',
    see: (context) => listensOn(context, ''),
  },
  {
    name: 'an environment variable that is not set leaves it dead without a word',
    core: 'nothing',
    hardened: 'the port is taken from the environment variable NOT_SET, which is not set',
    see: (context) => listensOn(context, '${NOT_SET}'),
  },
  {
    name: 'it listens on every address, whatever is asked',
    core: true,
    hardened: false,
    async see({ nodeRed, admin }) {
      const tab = new Tab('one')
      tab.tcpIn({ port: '9504', bind: '127.0.0.1' })
      tab.tcpIn({ port: '9505' })
      await admin.deploy(flowOf(tab))
      const probe = await open(nodeRed, 9505)
      probe.reset()
      // Where a proxy of the engine's is in between, it accepts for the container, then gives up when nobody is there.
      const client = await nodeRed.tcp(9504).catch(() => undefined)
      return client !== undefined && !(await comesTrue(() => client.isClosed, 700))
    },
  },
  {
    name: 'any number of clients gets in',
    core: 3,
    hardened: 2,
    async see({ nodeRed, admin }) {
      const tab = new Tab('one')
      tab.tcpIn({ port: '9504', maxConnections: '2' })
      await admin.deploy(flowOf(tab))
      const clients = [await open(nodeRed, 9504), await open(nodeRed, 9504), await nodeRed.tcp(9504)]
      await comesTrue(() => clients.some(({ isClosed }) => isClosed), 700)
      const inside = clients.filter(({ isClosed }) => !isClosed).length
      for (const client of clients) client.reset()
      return inside
    },
  },
  {
    name: 'a silent client stays for ever',
    core: 'stays',
    hardened: 'closed',
    async see({ nodeRed, admin }) {
      const tab = new Tab('one')
      tab.tcpIn({ port: '9504', idleTimeout: '1' })
      await admin.deploy(flowOf(tab))
      await using client = await open(nodeRed, 9504)
      return (await comesTrue(() => client.isClosed, 2_500)) ? 'closed' : 'stays'
    },
  },
  {
    name: 'a connection that breaks leaves no warning in the log',
    core: false,
    hardened: true,
    async see({ nodeRed, admin }) {
      const tab = new Tab('one')
      tab.tcpIn({ port: '9504', name: 'broken one' })
      await admin.deploy(flowOf(tab))
      await (await open(nodeRed, 9504)).expectSilence(10)
      // Straight to the container: a relay in between would make an orderly end of the reset.
      const client = await TcpClient.connect(9504, nodeRed.getIpAddress(nodeRed.getNetworkNames()[0]!))
      await client.send('x')
      client.reset()
      return await comesTrue(async () => /\[warn\] \[tcp in:broken one\].*ECONNRESET/.test(await logOf(nodeRed)), 1_500)
    },
  },
]

async function logOf(nodeRed: DefectContext['nodeRed']): Promise<string> {
  const { output } = await import('../../../src/cli/command.ts')
  return await output('sh', ['-c', 'docker logs "$0" 2>&1', nodeRed.getId()])
}
