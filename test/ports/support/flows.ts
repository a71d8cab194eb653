import type { FlowNode } from '../../../src/testing/admin-client.ts'

const TAB = 'live-ports-tab'
const tab: FlowNode = { id: TAB, type: 'tab', label: 'devices' }

/** No listener at all. */
export function silence(): FlowNode[] {
  return [tab]
}

/** Echoes on every port. */
export function echoes(ports: readonly number[], options: { host?: string } = {}): FlowNode[] {
  return [tab, ...ports.flatMap((port) => [tcpIn(port, [`reply-${port}`], options), tcpReply(port)])]
}

/** A port that another kind of node opens, which knows of no PROXY protocol: answers `plain` or `header` to what a connection begins with. */
export function tellsHeader(port: number): FlowNode[] {
  const answer = `socket.once('data', (data) => socket.end(data.toString('latin1').startsWith('\\r\\n\\r\\n\\0') ? 'header' : 'plain'))`
  const func = {
    id: `other-${port}`,
    type: 'function',
    z: TAB,
    name: 'other',
    func: '',
    initialize: `context.server = net.createServer((socket) => { socket.on('error', () => {}); ${answer} }).listen(${port})`,
    finalize: 'context.server.close()',
    outputs: 1,
    libs: [{ var: 'net', module: 'net' }],
    wires: [],
  }
  return [tab, func]
}

/** Answers with the address that the flow sees, a line feed, and spaces to make 20 bytes. */
export function tellsAddress(port: number): FlowNode[] {
  const func = {
    id: `ip-${port}`,
    type: 'function',
    z: TAB,
    name: '',
    func: 'msg.payload = `${msg.ip}\\n`.padEnd(20)\nreturn msg',
    outputs: 1,
  }
  return [tab, tcpIn(port, [func.id]), { ...func, wires: [[`reply-${port}`]] }, tcpReply(port)]
}

/** Sends a line when the peer has ended. */
export function answersAtEnd(port: number): FlowNode[] {
  return [tab, { ...tcpIn(port, [`reply-${port}`]), datamode: 'single' }, tcpReply(port)]
}

/** Connects to a peer. */
export function connectsTo(host: string, port: number): FlowNode[] {
  return [tab, { ...tcpIn(port, []), server: 'client', host }]
}

function tcpIn(port: number, to: string[], { host = '' }: { host?: string } = {}): FlowNode {
  return {
    id: `in-${port}`,
    type: 'tcp in',
    z: TAB,
    name: `device ${port}`,
    server: 'server',
    host: '',
    bind: host,
    port: String(port),
    datamode: 'stream',
    datatype: 'buffer',
    newline: '',
    topic: '',
    trim: false,
    base64: false,
    tls: '',
    wires: [to],
  }
}

function tcpReply(port: number): FlowNode {
  return {
    id: `reply-${port}`,
    type: 'tcp out',
    z: TAB,
    name: '',
    beserver: 'reply',
    host: '',
    port: '',
    base64: false,
    end: false,
    tls: '',
    wires: [],
  }
}
