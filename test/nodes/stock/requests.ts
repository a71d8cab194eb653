import { Tab } from '../flow-builder.ts'
import type { TcpClient } from '../../../src/testing/tcp-client.ts'
import { TcpPeer } from '../../../src/testing/tcp-peer.ts'
import type { FlowNode } from '../../../src/testing/admin-client.ts'
import { exchanges, one, sit, type Exchange } from './exchanges.ts'
import { deploy, HOST, nextMessage, sendChunks, shown, type Message, type Row, type RowContext } from './row.ts'

/** tcp request: what the peer is asked, and which messages its answers become. */
export const requests: Row[] = [
  ...exchanges.map((exchange) => ({
    name: `tcp request · ${exchange.name}`,
    see: (context: RowContext) => seeExchange(context, exchange),
    outcome: {
      replies: exchange.replies.map((reply) => (exchange.addressed ? { ...reply, host: HOST, port: 'of the peer' } : reply)),
      end: exchange.end,
    },
  })),
  {
    name: 'tcp request · two peers, each with a connection of its own',
    async see(context) {
      await using left = await TcpPeer.listen()
      await using right = await TcpPeer.listen()
      const to = ({ port }: TcpPeer, topic: string) => ({ payload: topic, topic, host: HOST, port })
      await deployRequest(context, sit, { ask: [to(left, 'left'), to(right, 'right')], again: [to(left, 'left again')] })
      await context.admin.inject('ask')
      const [first, second] = [await left.accept(), await right.accept()]
      await first.expect('left')
      await second.expect('right')
      await context.admin.inject('again')
      await first.expect('left again')
      await second.send('from the right')
      const replies = [await nextMessage(context, 'seen')]
      await first.send('from the left')
      replies.push(await nextMessage(context, 'seen'))
      return replies.map(({ payload, topic }) => `${String(payload)}, ${String(topic)}`)
    },
    outcome: ['from the right, right', 'from the left, left again'],
  },
  {
    name: 'tcp request · one after the other: a connection for each, or the same one',
    async see(context) {
      const connections: number[] = []
      for (const out of ['char', 'sit']) {
        await using peer = await TcpPeer.listen()
        await deployRequest(context, { out, splitc: '\\n', ...addressOf(peer) }, { ask: one })
        const accepted: TcpClient[] = []
        for (let round = 0; round < 2; round += 1) {
          await context.admin.inject('ask')
          if (out === 'char' || round === 0) accepted.push(await peer.accept())
          await accepted.at(-1)!.expect('ask')
          await accepted.at(-1)!.send('answer\n')
          await nextMessage(context, 'seen')
          if (out === 'char') await accepted.at(-1)!.expectClose()
        }
        connections.push(accepted.length)
      }
      return connections
    },
    outcome: [2, 1],
  },
  {
    name: 'tcp request · a connection that stays is made anew when the peer has ended it',
    async see(context) {
      await using peer = await TcpPeer.listen()
      await deployRequest(context, { ...sit, ...addressOf(peer) }, { ask: one })
      await context.admin.inject('ask')
      const first = await peer.accept()
      await first.expect('ask')
      first.end()
      await first.expectClose()
      await context.admin.inject('ask')
      const second = await peer.accept()
      await second.expect('ask')
      return 'asked again'
    },
    outcome: 'asked again',
  },
  {
    name: 'tcp request · msg.reset ends all connections that stay, or one',
    async see(context) {
      await using left = await TcpPeer.listen()
      await using right = await TcpPeer.listen()
      const to = ({ port }: TcpPeer) => ({ payload: 'ask', host: HOST, port })
      const buttons = { ask: [to(left), to(right)], 'reset one': [{ reset: `${HOST}:${left.port}` }], 'reset all': [{ reset: true }] }
      await deployRequest(context, sit, buttons)
      await context.admin.inject('ask')
      const [first, second] = [await left.accept(), await right.accept()]
      await first.expect('ask')
      await second.expect('ask')
      await context.admin.inject('reset one')
      await first.expectClose()
      const between = second.isClosed
      await context.admin.inject('reset all')
      await second.expectClose()
      return [between, second.isClosed]
    },
    outcome: [false, true],
  },
  {
    name: 'tcp request · nobody is there: an error with the message, and none of a reply',
    async see(context) {
      await deployRequest(context, { server: HOST, port: '1' }, { ask: one })
      await context.admin.inject('ask')
      const { caught, seen } = await shown(context, 1)
      return { caught: caught?.map(({ payload, topic }) => `${String(payload)}, ${String(topic)}`), seen }
    },
    outcome: { caught: ['ask, a'], seen: undefined },
  },
]

async function seeExchange(context: RowContext, { node, messages, asked, answers, replies, addressed, end }: Exchange): Promise<unknown> {
  await using peer = await TcpPeer.listen()
  const target = { host: HOST, port: peer.port }
  await deployRequest(
    context,
    { ...node, ...(addressed ? {} : addressOf(peer)) },
    { ask: messages.map((message) => (addressed ? { ...message, ...target } : message)) },
  )
  await context.admin.inject('ask')
  const connection = await peer.accept()
  await connection.expect(asked)
  await sendChunks(context, { connection, port: peer.port, chunks: answers })
  if (end === 'closed') await connection.expectClose()
  const { seen = [] } = await shown(context, replies.length)
  return {
    replies: seen.map(({ _msgid, ...reply }) => (reply.port === peer.port ? { ...reply, port: 'of the peer' } : reply)),
    end: connection.isClosed ? 'closed' : 'open',
  }
}

function addressOf({ port }: TcpPeer): Message {
  return { server: HOST, port: String(port) }
}

/** A tcp request with buttons; each gives it several messages at once. */
async function deployRequest(context: RowContext, node: Message, buttons: Record<string, Message[]>): Promise<void> {
  const tab = new Tab('requests')
  const request = tab.tcpRequest(node, tab.debug('seen'))
  for (const [name, messages] of Object.entries(buttons)) tab.inject(name, [], atOnce(tab, messages, request))
  tab.add('catch', { scope: null, uncaught: false }, tab.debug('caught'))
  await deploy(context, tab)
}

function atOnce(tab: Tab, messages: Message[], ...wires: FlowNode[]): FlowNode {
  const func = `return [${JSON.stringify(messages)}]`
  return tab.add('function', { func, outputs: 1, timeout: 0, noerr: 0, initialize: '', finalize: '', libs: [] }, ...wires)
}
