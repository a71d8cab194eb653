import { open } from '../defects/defect.ts'
import { Tab } from '../flow-builder.ts'
import { TcpPeer } from '../../../src/testing/tcp-peer.ts'
import { accept, deploy, HOST, type Row } from './row.ts'

/** tcp out: who gets a message, and what becomes of the connection. */
export const sending: Row[] = [
  {
    name: 'tcp out · a reply goes to the session of its message',
    async see(context) {
      const tab = new Tab('sending')
      tab.tcpIn({ port: '9504', datatype: 'utf8', newline: '\\n', trim: true }, tab.tcpOut({}))
      await deploy(context, tab)
      await using one = await open(context.nodeRed, 9504)
      await using two = await open(context.nodeRed, 9504)
      await one.send('from one\n')
      await one.expect('from one\n')
      await two.send('from two\n')
      await two.expect('from two\n')
      return [one.available, two.available]
    },
    outcome: [0, 0],
  },
  {
    name: 'tcp out · Base64 is sent as bytes: in replies, to clients, to a peer',
    async see(context) {
      await using peer = await TcpPeer.listen()
      const tab = new Tab('sending')
      tab.tcpIn({ port: '9504' })
      const base64 = { base64: true }
      const client = tab.tcpOut({ beserver: 'client', host: HOST, port: String(peer.port), ...base64 })
      tab.text('send', 'AP9/', tab.tcpOut(base64), tab.tcpOut({ beserver: 'server', port: '9505', ...base64 }), client)
      await deploy(context, tab)
      await using asking = await open(context.nodeRed, 9504)
      await using listening = await open(context.nodeRed, 9505)
      const dialled = await accept(context, peer)
      await context.admin.inject('send')
      const received = await Promise.all([asking, listening, dialled].map((end) => end.read(3)))
      return received.map((bytes) => bytes.toString('hex'))
    },
    outcome: ['00ff7f', '00ff7f', '00ff7f'],
  },
  {
    name: 'tcp out · a server sends to all clients, and ends their connections where it is told to',
    async see(context) {
      const tab = new Tab('sending')
      tab.text('stay', 'stay ', tab.tcpOut({ beserver: 'server', port: '9504' }))
      tab.text('leave', 'leave', tab.tcpOut({ beserver: 'server', port: '9505', end: true }))
      await deploy(context, tab)
      const clients = [await open(context.nodeRed, 9504), await open(context.nodeRed, 9504), await open(context.nodeRed, 9505)]
      await context.admin.inject('stay')
      await context.admin.inject('leave')
      await clients[2]!.expect('leave')
      await clients[2]!.expectClose()
      await context.admin.inject('stay')
      for (const client of clients.slice(0, 2)) await client.expect('stay stay ')
      const closed = clients.map(({ isClosed }) => isClosed)
      for (const client of clients) client.reset()
      return closed
    },
    outcome: [false, false, true],
  },
  {
    name: 'tcp out · a client ends its connection after each message where it is told to, and makes another',
    async see(context) {
      await using peer = await TcpPeer.listen()
      const tab = new Tab('sending')
      tab.text('send', 'over', tab.tcpOut({ beserver: 'client', host: HOST, port: String(peer.port), end: true }))
      await deploy(context, tab)
      for (let round = 0; round < 2; round += 1) {
        const connection = await accept(context, peer)
        await context.admin.inject('send')
        await connection.expect('over')
        await connection.expectClose()
      }
      return 'twice'
    },
    outcome: 'twice',
  },
  {
    name: 'tcp out · msg.reset closes the session of its message, and no other',
    async see(context) {
      const tab = new Tab('sending')
      const reset = { rules: [{ t: 'set', p: 'reset', pt: 'msg', to: 'true', tot: 'bool' }] }
      tab.tcpIn({ port: '9504' }, tab.add('change', reset, tab.tcpOut({})))
      await deploy(context, tab)
      await using one = await open(context.nodeRed, 9504)
      await using two = await open(context.nodeRed, 9504)
      await one.send('enough')
      await one.expectClose()
      await two.expectSilence(50)
      return [one.isClosed, two.isClosed]
    },
    outcome: [true, false],
  },
]
