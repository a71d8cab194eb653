// A conversation as a flow that plays Node-RED's part in it. Made of Node-RED's own nodes and their own properties only.
import { encodeUtf8, sameBytes } from '../../text/escapes.ts'
import type { ExportContext } from './export/entries.ts'
import { layOut, type FlowNode } from './flow-layout.ts'
import { formatHex } from '../../text/hex.ts'
import type { LogEntry } from './protocol.ts'
import type { EndpointSpec } from './spec.ts'

/** `host`: where Node-RED reaches the assistant, for the flows in which Node-RED dials. */
export type FlowContext = ExportContext & { spec: EndpointSpec; host?: string; createId?: () => string }

type Turn = { asked: Uint8Array; answered: Uint8Array[] }

const MAX_INJECTS = 20
const MAX_ANSWERS = 200
const MAX_BYTES_A_MESSAGE = 4096

/** Nodes to import: what Node-RED listens on or dials, answers that were seen, a button for each message that came unasked. */
export function makeFlow(entries: Iterable<LogEntry>, context: FlowContext): FlowNode[] {
  const { turns, unasked } = readConversation(entries, context.spec.kind)
  const answers = distinctAnswers(turns)
  const udp = context.spec.kind === 'udp'
  const received: FlowNode = { type: 'debug', name: 'received', ...DEBUG }
  const answering: FlowNode = { type: 'function', name: `answers ${answers.length} messages`, ...functionOf(answers) }
  const out: FlowNode = udp ? udpOut(context.spec, answers.length > 0) : { type: 'tcp out', name: 'send', ...TCP_OUT }
  const rows: FlowNode[][] = []
  const source = udp ? udpIn(context.spec) : tcpIn(context.spec, context.host)
  rows.push(answers.length > 0 ? [source, answering, out] : [source, received])
  if (answers.length > 0) rows.push([received])
  const injects = unasked.map((bytes) => ({ type: 'inject', name: labelOf(bytes), ...injectOf(bytes) }))
  rows.push(...injects.map((inject) => [inject]))
  const sends = answers.length > 0 || injects.length > 0
  if (sends && answers.length === 0) rows.push([out])
  return layOut(context.name, rows, {
    createId: context.createId ?? randomId,
    wires: [
      ...(answers.length > 0 ? [[source, answering] as const, [answering, out] as const] : []),
      [source, received],
      ...injects.map((inject) => [inject, out] as const),
    ],
  })
}

/** What Node-RED has received and sent: for most endpoints the other way round than the assistant. */
function readConversation(entries: Iterable<LogEntry>, kind: EndpointSpec['kind']): { turns: Turn[]; unasked: Uint8Array[] } {
  const toNodeRed = kind === 'tap' ? 'rx' : 'tx'
  const turns: Turn[] = []
  const unasked: Uint8Array[] = []
  const open = new Map<string, Turn>()
  for (const { dir, peer, data } of entries) {
    if (dir === 'note' || data === undefined || data.length === 0 || data.length > MAX_BYTES_A_MESSAGE) continue
    const turn = open.get(peer)
    if (dir === toNodeRed) {
      const next = { asked: data, answered: [] }
      open.set(peer, next)
      turns.push(next)
    } else if (turn !== undefined) turn.answered.push(data)
    else if (unasked.length < MAX_INJECTS && !unasked.some((other) => sameBytes(other, data))) unasked.push(data)
  }
  return { turns, unasked }
}

/** Each message once, with the answer that it got last. */
function distinctAnswers(turns: Turn[]): [asked: string, answered: string][] {
  const answers = new Map<string, string>()
  for (const { asked, answered } of turns.toReversed()) {
    const key = hexOf(asked)
    if (answered.length > 0 && !answers.has(key)) answers.set(key, answered.map(hexOf).join(''))
    if (answers.size === MAX_ANSWERS) break
  }
  return [...answers].reverse()
}

function functionOf(answers: [string, string][]) {
  const lines = answers.map(([asked, answered]) => `  '${asked}': '${answered}',`)
  const func = [
    '// What was received, in HEX, and what was answered.',
    'const answers = {',
    ...lines,
    '}',
    'const asked = Buffer.isBuffer(msg.payload) ? msg.payload : Buffer.from(String(msg.payload))',
    "const answer = answers[asked.toString('hex')]",
    "if (answer === undefined) { node.status({ text: 'no answer known' }); return null }",
    "msg.payload = Buffer.from(answer, 'hex')",
    'return msg',
  ].join('\n')
  return { func, outputs: 1, timeout: 0, noerr: 0, initialize: '', finalize: '', libs: [] }
}

const DEBUG = {
  active: true,
  tosidebar: true,
  console: false,
  tostatus: false,
  complete: 'payload',
  targetType: 'msg',
  statusVal: '',
  statusType: 'auto',
}
const TCP_OUT = { host: '', port: '', beserver: 'reply', base64: false, end: false, tls: '' }

function tcpIn(spec: EndpointSpec, host = '127.0.0.1'): FlowNode {
  const common = { datamode: 'stream', datatype: 'buffer', newline: '', topic: '', trim: false, base64: false, tls: '' }
  if (spec.kind === 'tcp-server')
    return { type: 'tcp in', name: `connect to ${spec.port}`, server: 'client', host, port: String(spec.port), ...common }
  const port = spec.kind === 'tap' ? spec.targetPort : spec.kind === 'tcp-client' ? spec.port : 0
  return { type: 'tcp in', name: `listen on ${port}`, server: 'server', host: '', port: String(port), ...common }
}

function udpIn(spec: EndpointSpec): FlowNode {
  const port = spec.kind === 'udp' ? (spec.port ?? spec.localPort) : 0
  return {
    type: 'udp in',
    name: `listen on ${port}`,
    iface: '',
    port: String(port),
    ipv: 'udp4',
    multicast: 'false',
    group: '',
    datatype: 'buffer',
  }
}

/** With answers, back to where a message came from: udp out takes address and port from the message where it has none. */
function udpOut(spec: EndpointSpec, answers: boolean): FlowNode {
  const port = spec.kind === 'udp' && !answers ? String(spec.localPort) : ''
  const addr = answers ? '' : '127.0.0.1'
  return { type: 'udp out', name: 'send', addr, iface: '', port, ipv: 'udp4', outport: '', base64: false, multicast: 'false' }
}

function injectOf(bytes: Uint8Array) {
  const text = printable(bytes)
  const payload =
    text === undefined ? { payload: JSON.stringify(Array.from(bytes)), payloadType: 'bin' } : { payload: text, payloadType: 'str' }
  return { props: [{ p: 'payload' }], repeat: '', crontab: '', once: false, onceDelay: 0.1, topic: '', ...payload }
}

/** The text of bytes that are nothing but text; a tab and line endings are. */
function printable(bytes: Uint8Array): string | undefined {
  const text = new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes)
  return sameBytes(encodeUtf8(text), bytes) && !/[^\P{C}\r\n\t]/u.test(text) ? text : undefined
}

function labelOf(bytes: Uint8Array): string {
  const text = printable(bytes)?.trim()
  const label = text === undefined || text === '' ? formatHex(bytes.subarray(0, 8)) : text
  return label.length > 24 ? `${label.slice(0, 23)}…` : label
}

function hexOf(bytes: Uint8Array): string {
  return formatHex(bytes).replaceAll(' ', '').toLowerCase()
}

function randomId(): string {
  return hexOf(crypto.getRandomValues(new Uint8Array(8)))
}
