import { comesTrue, open } from '../defects/defect.ts'
import { Tab } from '../flow-builder.ts'
import type { TcpClient } from '../../../src/testing/tcp-client.ts'
import { TcpPeer } from '../../../src/testing/tcp-peer.ts'
import { accept, deploy, HOST, nextMessage, sendChunks, shown, type Message, type Row, type RowContext } from './row.ts'

/** `connections`: what each one sends before it ends, in chunks. */
type Reception = { name: string; node: Message; connections: string[][]; payloads: (string | Buffer)[] }

const TOPIC = 'from the wire'
const base64 = (text: string) => Buffer.from(text).toString('base64')
const text = { datatype: 'utf8' }
const lines = { ...text, newline: '\\n' }

/** tcp in: what chunks become, until the end of their connection. */
const receptions: Reception[] = [
  { name: 'stream of buffers', node: {}, connections: [['one']], payloads: [Buffer.from('one')] },
  { name: 'stream of buffers, in chunks', node: {}, connections: [['one', 'two']], payloads: [Buffer.from('one'), Buffer.from('two')] },
  { name: 'stream of buffers, again', node: {}, connections: [['one'], ['two']], payloads: [Buffer.from('one'), Buffer.from('two')] },
  { name: 'stream of text', node: text, connections: [['one\ntwo']], payloads: ['one\ntwo'] },
  { name: 'stream of text, again', node: text, connections: [['one'], ['two\nthree']], payloads: ['one', 'two\nthree'] },
  { name: 'stream of Base64', node: { datatype: 'base64' }, connections: [['one']], payloads: [base64('one')] },
  { name: 'stream of Base64, again', node: { datatype: 'base64' }, connections: [['one'], ['2']], payloads: [base64('one'), base64('2')] },
  { name: 'lines, and the rest at the end', node: lines, connections: [['one\ntw', 'o']], payloads: ['one', 'two'] },
  { name: 'lines, again', node: lines, connections: [['one'], ['two\nth', 'ree']], payloads: ['one', 'two', 'three'] },
  { name: 'lines, the last one whole', node: lines, connections: [['one\n', '\ntwo\n']], payloads: ['one', '', 'two'] },
  {
    name: 'a delimiter of several characters',
    node: { ...text, newline: 'e\\n' },
    connections: [['one\ntwo\n']],
    payloads: ['on', 'two\n'],
  },
  {
    name: 'a delimiter of several characters that is kept',
    node: { ...text, newline: 'e\\n', trim: true },
    connections: [['on', 'e', '\ntwo']],
    payloads: ['one\n', 'two'],
  },
  { name: 'one buffer', node: { datamode: 'single' }, connections: [['on', 'e']], payloads: [Buffer.from('one')] },
  {
    name: 'one text, whatever the delimiter',
    node: { ...lines, datamode: 'single' },
    connections: [['one\ntw', 'o\n', 'three']],
    payloads: ['one\ntwo\nthree'],
  },
  { name: 'one Base64', node: { datatype: 'base64', datamode: 'single' }, connections: [['one']], payloads: [base64('one')] },
]

/** Each is received by a listener and by a client, at the same time. */
export const receiving: Row[] = [
  ...receptions.map(({ name, node, connections, payloads }) => ({
    name: `tcp in · ${name}`,
    async see(context: RowContext) {
      await using peer = await TcpPeer.listen()
      const tab = new Tab('receiving')
      tab.tcpIn({ port: '9504', topic: TOPIC, ...node }, tab.debug('listener'))
      tab.tcpIn({ server: 'client', host: HOST, port: String(peer.port), topic: TOPIC, ...node }, tab.debug('client'))
      await deploy(context, tab)
      await Promise.all([
        talk(context, connections, { port: 9504, next: () => open(context.nodeRed, 9504) }),
        talk(context, connections, { port: peer.port, next: () => accept(context, peer) }),
      ])
      const { listener, client } = await shown(context, 0)
      return { listener: listener?.map(essence), client: client?.map(essence) }
    },
    outcome: {
      listener: payloads.map((payload) => ({ topic: TOPIC, payload })),
      client: payloads.map((payload) => ({ topic: TOPIC, payload })),
    },
  })),
  {
    name: 'tcp in · what else is in a message',
    async see(context) {
      await using peer = await TcpPeer.listen()
      const tab = new Tab('receiving')
      tab.tcpIn({ port: '9504', ...lines }, tab.debug('listener'))
      tab.tcpIn({ server: 'client', host: HOST, port: String(peer.port), ...lines }, tab.debug('client'))
      await deploy(context, tab)
      await using client = await open(context.nodeRed, 9504)
      await client.send('one\n')
      await (await peer.accept()).send('one\n')
      const { listener, client: dialled } = await shown(context, 2)
      return { listener: listener?.map(kindsOf), client: dialled?.map(kindsOf) }
    },
    outcome: {
      listener: [
        { _msgid: 'string', topic: 'string', payload: 'string', ip: 'string', port: 'number', _session: { type: 'tcp', id: 'string' } },
      ],
      client: [{ _msgid: 'string', topic: 'string', payload: 'string', _session: { type: 'tcp', id: 'string' } }],
    },
  },
  {
    name: 'tcp in · a client connects again, whether its peer ends or resets',
    async see(context) {
      await using peer = await TcpPeer.listen()
      const tab = new Tab('receiving')
      tab.tcpIn({ server: 'client', host: HOST, port: String(peer.port), ...lines }, tab.debug('client'))
      await deploy(context, tab)
      ;(await peer.accept()).end()
      ;(await peer.accept()).reset()
      await (await peer.accept()).send('there again\n')
      return (await nextMessage(context, 'client')).payload
    },
    outcome: 'there again',
  },
  {
    name: 'tcp in · clients that come and go are events of the status',
    async see(context) {
      const tab = new Tab('receiving')
      const node = tab.tcpIn({ port: '9504' })
      tab.add('status', { scope: [node.id] }, tab.debug('status', 'status'))
      await deploy(context, tab)
      const client = await open(context.nodeRed, 9504)
      client.end()
      const events = []
      while (events.length < 2) {
        const { event, text, _session } = await nextMessage(context, 'status')
        if (event) events.push({ event, text: /\d+ connections?$/.exec(String(text))?.[0], type: (_session as Message).type })
      }
      return events
    },
    outcome: [
      { event: 'connect', text: '1 connection', type: 'tcp' },
      { event: 'disconnect', text: '0 connections', type: 'tcp' },
    ],
  },
  {
    name: 'tcp in · socketTimeout closes a silent client',
    async see(context) {
      const tab = new Tab('receiving')
      tab.tcpIn({ port: '9504' })
      await deploy(context, tab)
      await using client = await open(context.nodeRed, 9504)
      return await comesTrue(() => client.isClosed, 4_000)
    },
    outcome: true,
  },
]

/** One connection after the other, each to its end. */
async function talk(
  context: RowContext,
  connections: string[][],
  { port, next }: { port: number; next: () => Promise<TcpClient> },
): Promise<void> {
  for (const chunks of connections) {
    const connection = await next()
    await sendChunks(context, { connection, port, chunks })
    connection.end()
    await connection.expectClose()
  }
}

function essence({ topic, payload }: Message): Message {
  return { topic, payload }
}

function kindsOf(message: Message): Message {
  const { id, type } = message._session as Message
  const kinds = Object.fromEntries(Object.entries(message).map(([name, value]) => [name, typeof value]))
  return { ...kinds, _session: { type, id: typeof id } }
}
