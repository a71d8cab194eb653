import { TcpPeer } from '../../../src/testing/tcp-peer.ts'
import { comesTrue, open } from '../defects/defect.ts'
import { Tab } from '../flow-builder.ts'
import { accept, deploy, HOST, nextMessage, type Row, type RowContext } from './row.ts'

/** What people have published, built anew: properties as old editors wrote them, devices as they talk. */
export const publicFlows: Row[] = [
  {
    name: 'public flow · an amplifier is asked, each command over a connection of its own, without the properties of today',
    async see(context) {
      await using peer = await TcpPeer.listen()
      const tab = new Tab('amplifier')
      const node = { server: HOST, port: String(peer.port), out: 'char', splitc: '\\n', name: '' }
      const request = tab.add('tcp request', node, tab.debug('seen'))
      const command = [{ t: 'set', p: 'payload', pt: 'msg', to: '"{\\"cmd\\": \\"" & topic & "\\"}\\n"', tot: 'jsonata' }]
      const change = tab.add('change', { rules: command }, request)
      for (const topic of ['volume-up', 'volume-down']) tab.inject(topic, [{ p: 'topic', v: topic, vt: 'str' }], change)
      await deploy(context, tab)
      const replies: unknown[] = []
      for (const topic of ['volume-up', 'volume-down']) {
        await context.admin.inject(topic)
        const amplifier = await peer.accept()
        await amplifier.expect(`{"cmd": "${topic}"}\n`)
        await amplifier.send(`{"done": "${topic}"}\n`)
        const { payload, topic: kept } = await nextMessage(context, 'seen')
        replies.push([String(payload), kept])
        await amplifier.expectClose()
      }
      return replies
    },
    outcome: [
      ['{"done": "volume-up"}\n', 'volume-up'],
      ['{"done": "volume-down"}\n', 'volume-down'],
    ],
  },
  {
    name: 'public flow · a scale sends a line for each question',
    async see(context) {
      await using peer = await TcpPeer.listen()
      const tab = new Tab('scale')
      const digits = tab.add('change', { rules: [toNumber] }, tab.debug('seen'))
      tab.text(
        'weigh',
        'S\r\n',
        tab.tcpRequest({ server: HOST, port: String(peer.port), out: 'char', ret: 'string', splitc: '\\n' }, digits),
      )
      await deploy(context, tab)
      await context.admin.inject('weigh')
      const scale = await peer.accept()
      await scale.expect('S\r\n')
      await scale.send('S S     ')
      await scale.send('12.5 kg\r\n')
      return (await nextMessage(context, 'seen')).payload
    },
    outcome: 12.5,
  },
  {
    name: 'public flow · a register is read and a coil written over a connection that stays, with host and port in the message',
    async see(context) {
      await using peer = await TcpPeer.listen()
      const tab = new Tab('controller')
      const request = tab.add('tcp request', { server: '', port: '', out: 'sit', splitc: ' ', name: '' }, tab.debug('seen'))
      const frames = { read: [0, 1, 0, 0, 0, 6, 1, 3, 0, 0, 0, 1], write: [0, 2, 0, 0, 0, 6, 1, 5, 0, 3, 255, 0] }
      for (const [name, bytes] of Object.entries(frames)) {
        const target = [
          { p: 'host', v: HOST, vt: 'str' },
          { p: 'port', v: String(peer.port), vt: 'num' },
        ]
        tab.inject(name, [{ p: 'payload', v: JSON.stringify(bytes), vt: 'bin' }, ...target], request)
      }
      await deploy(context, tab)
      await context.admin.inject('read')
      const controller = await accept(context, peer)
      await controller.expect(Buffer.from(frames.read))
      await controller.send(Buffer.from([0, 1, 0, 0, 0, 5, 1, 3, 2, 0, 42]))
      const read = await nextMessage(context, 'seen')
      await context.admin.inject('write')
      await controller.expect(Buffer.from(frames.write))
      await controller.send(Buffer.from(frames.write))
      const written = await nextMessage(context, 'seen')
      return [read, written].map(({ payload }) => (payload as Buffer).toString('hex'))
    },
    outcome: ['000100000005010302002a', '00020000000601050003ff00'],
  },
  {
    name: 'public flow · rows for a database that never answers all go over one connection',
    async see(context) {
      await using peer = await TcpPeer.listen()
      const tab = new Tab('database')
      const request = tab.add('tcp request', { server: HOST, port: String(peer.port), out: 'sit', splitc: ' ' }, tab.debug('seen'))
      for (const row of ['a', 'b', 'c']) tab.text(row, `sensors,id=${row} value=1\n`, request)
      await deploy(context, tab)
      await context.admin.inject('a')
      const database = await accept(context, peer)
      await database.expect('sensors,id=a value=1\n')
      for (const row of ['b', 'c']) {
        await context.admin.inject(row)
        await database.expect(`sensors,id=${row} value=1\n`)
      }
      return 'one connection'
    },
    outcome: 'one connection',
  },
  {
    name: 'public flow · an alert goes to another machine, a connection for each message',
    async see(context) {
      const tab = new Tab('alert')
      tab.tcpIn({ port: '9504', datamode: 'single', datatype: 'utf8' }, tab.debug('seen'))
      const send = tab.add('tcp out', { host: 'localhost', port: '9504', beserver: 'client', base64: false, end: true, name: '' })
      const template = { field: 'payload', fieldType: 'msg', format: 'handlebars', syntax: 'mustache', output: 'str' }
      tab.text('press', 'the door', tab.add('template', { ...template, template: 'An alert: {{payload}}.' }, send))
      await deploy(context, tab)
      const alerts: unknown[] = []
      const seen = new Set<number>()
      for (let count = 0; count < 3; count += 1) {
        await connectsAgain(context, 9504, seen)
        await context.admin.inject('press')
        alerts.push((await nextMessage(context, 'seen')).payload)
      }
      return alerts
    },
    outcome: ['An alert: the door.', 'An alert: the door.', 'An alert: the door.'],
  },
  {
    name: 'public flow · who is dialled sends commands and gets what they put out',
    async see(context) {
      await using peer = await TcpPeer.listen()
      const tab = new Tab('dialled')
      const back = tab.add('tcp out', { host: '', port: '', beserver: 'reply', base64: false, end: false, name: '' })
      const upper = tab.add('change', { rules: [{ t: 'set', p: 'payload', pt: 'msg', to: '$uppercase(payload)', tot: 'jsonata' }] }, back)
      const node = { server: 'client', host: HOST, port: String(peer.port), datamode: 'stream', datatype: 'utf8', newline: '', topic: '' }
      tab.add('tcp in', { ...node, base64: false, name: '' }, upper)
      await deploy(context, tab)
      const operator = await accept(context, peer)
      for (const command of ['uptime\n', 'who\n']) {
        await operator.send(command)
        await operator.expect(command.toUpperCase())
      }
      return 'answered'
    },
    outcome: 'answered',
  },
  {
    name: 'public flow · the time goes to all clients of a server, as a number, and what one says goes to all',
    async see(context) {
      const tab = new Tab('hall')
      const all = tab.tcpOut({})
      tab.inject('tick', [{ p: 'payload', v: '1700000000000', vt: 'num' }], all)
      const forget = tab.add('change', { rules: [{ t: 'delete', p: '_session', pt: 'msg' }] }, all)
      tab.tcpIn({ port: '9504', datatype: 'utf8', newline: '\\n', trim: true }, forget)
      await deploy(context, tab)
      await using one = await open(context.nodeRed, 9504)
      await using two = await open(context.nodeRed, 9504)
      await context.admin.inject('tick')
      for (const client of [one, two]) await client.expect('1700000000000')
      await one.send('hello\n')
      for (const client of [one, two]) await client.expect('hello\n')
      return 'all'
    },
    outcome: 'all',
  },
  {
    name: 'public flow · a web page by hand: all that comes within a time',
    async see(context) {
      await using peer = await TcpPeer.listen()
      const tab = new Tab('web')
      const request = tab.add('tcp request', { server: HOST, port: String(peer.port), out: 'time', splitc: '500', name: '' })
      request.wires = [[tab.debug('seen').id]]
      tab.inject('get', [{ p: 'payload', v: '"GET / HTTP/1.0\\r\\n\\r\\n"', vt: 'jsonata' }], request)
      await deploy(context, tab)
      await context.admin.inject('get')
      const server = await peer.accept()
      await server.expect('GET / HTTP/1.0\r\n\r\n')
      await server.send('HTTP/1.0 200 OK\r\n\r\n')
      await server.send('a page')
      return String((await nextMessage(context, 'seen')).payload)
    },
    outcome: 'HTTP/1.0 200 OK\r\n\r\na page',
  },
]

const toNumber = { t: 'set', p: 'payload', pt: 'msg', to: '$number($match(payload, /[0-9.]+/)[0].match)', tot: 'jsonata' }

/** Waits until a client of the flow itself is connected at a port, by a connection that was not seen before. */
async function connectsAgain({ nodeRed }: RowContext, port: number, seen: Set<number>): Promise<void> {
  const fresh = async () => {
    const sessions = (await (await fetch(`${nodeRed.getStatusUrl()}/sessions`)).json()) as { id: number; localPort: number }[]
    return sessions.find(({ id, localPort }) => localPort === port && !seen.has(id))
  }
  if (!(await comesTrue(async () => (await fresh()) !== undefined, 5_000))) throw new Error(`no client connected at port ${port}`)
  seen.add((await fresh())!.id)
}
