import type { IntakeOptions, Payload } from '../tcp/intake.ts'
import { Requester } from '../tcp/requester.ts'
import type { ReplyEnd } from '../tcp/requester/reply.ts'
import { decodeText } from '../tcp/encoding.ts'
import { TcpError } from '../tcp/errors.ts'
import { parseDelimiter } from '../tcp/delimiter.ts'
import { readDefaults, type FilledDefaults } from './support/defaults.ts'
import type { Done, Message, NodeRed, RedNode, Send } from './support/node-red.ts'
import { readEncoding, readNumber, readPort, type Properties } from './support/options.ts'
import { toBytes } from './support/payload.ts'
import { skipUnwantedMetrics } from './support/metrics.ts'
import { makeReady } from './support/ready.ts'
import { countConnections } from './support/texts.ts'
import { startOrFail } from './support/start.ts'
import { readTls, warnOfValidity } from './support/tls.ts'

const ESCAPED_BYTES: Record<string, number> = { '\\n': 0x0a, '\\r': 0x0d, '\\t': 0x09, '\\e': 0x1b, '\\f': 0x0c, '\\0': 0x00 }

// Node.js has no longer timers.
const MAX_TIMER_MS = 2 ** 31 - 1

type Asked = { message: Message; send: Send }

/** tcp request: sends, and gives back the answer. */
function tcpRequestNode(RED: NodeRed): void {
  makeReady(RED)
  const defaults = readDefaults(RED)

  function TcpRequest(this: RedNode, properties: Properties): void {
    RED.nodes.createNode(this, properties)
    skipUnwantedMetrics(RED, this)
    startOrFail(this, () => start(RED, this, { properties, defaults }))
  }

  RED.nodes.registerType('tcp request', TcpRequest)
}

function start(RED: NodeRed, node: RedNode, { properties, defaults }: { properties: Properties; defaults: FilledDefaults }): void {
  const encoding = readEncoding(properties)
  const wantsText = properties.ret === 'string'
  const options = {
    tls: readTls(RED, properties, { server: false }),
    end: readEnd(properties, { encoding, wantsText, maxFrame: defaults.maxFrame }),
    maxReply: readNumber(properties, 'maxReply', { default: defaults.maxFrame, min: 1 }),
    maxWaiting: defaults.queueSize,
    timeoutMs: readNumber(properties, 'replyTimeout', { default: defaults.idleMs, min: 0, max: MAX_TIMER_MS }),
    separate: properties.separate === true,
  }
  warnOfValidity(node, options.tls)
  const requesters = new Map<string, Requester<Asked>>()

  function requesterFor(host: string, port: number): Requester<Asked> {
    const key = `${host}:${port}`
    let requester = requesters.get(key)
    if (!requester) {
      requester = new Requester<Asked>(
        { ...options, host, port },
        {
          onReply: ({ message, send }, payload, partial) => send(toReply(message, payload, partial)),
          onFailure: ({ message }, error) => node.error(error, message),
          onConnected: () => showConnections(),
          onEnded(state) {
            if (state === 'failed') node.status({ fill: 'red', shape: 'ring', text: 'common.status.error' })
            else if (state === 'disconnected') node.status({ fill: 'grey', shape: 'ring', text: 'common.status.disconnected' })
            else node.status({})
          },
        },
      )
      requesters.set(key, requester)
    }
    return requester
  }

  function toReply(message: Message, payload: Payload, partial: boolean): Message {
    const reply = RED.util.cloneMessage(message)
    reply.payload = wantsText && Buffer.isBuffer(payload) ? decodeText(payload, encoding) : payload
    // Only where the peer ended too early, so that whole replies look as they always did.
    if (partial) reply.partial = true
    return reply
  }

  function showConnections(): void {
    const count = [...requesters.values()].filter(({ isConnected }) => isConnected).length
    node.status({ fill: 'green', shape: count === 0 ? 'ring' : 'dot', text: countConnections(count) })
  }

  function reset(which: unknown): void {
    const stopped = which === true ? [...requesters.keys()] : requesters.has(String(which)) ? [String(which)] : []
    for (const key of stopped) {
      requesters.get(key)?.stop('the connection was reset by a message')
      requesters.delete(key)
    }
    showConnections()
  }

  function onInput(message: Message, send: Send, done: Done): void {
    if (options.end.kind === 'stay' && message.reset) {
      reset(message.reset)
      if (!Object.hasOwn(message, 'payload')) return done()
    }
    const host = String(properties.server || asText(message.host))
    if (host === '') throw new TcpError('CONNECT', 'no host is set: set it in the node or in msg.host')
    const port = readPort(properties.port || asText(message.port))
    const bytes = toBytes(message.payload, { form: 'text', encoding })
    requesterFor(host, port).send({ about: { message, send }, bytes, done })
  }

  node.on('input', (message, send, done) => {
    try {
      onInput(message, send, done)
    } catch (error) {
      done(error as Error)
    }
  })
  node.on('close', (_removed, done) => {
    for (const requester of requesters.values()) requester.stop('the node was stopped')
    requesters.clear()
    node.status({})
    done()
  })
}

/** A host or port that a message brings along. */
function asText(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : ''
}

/** When a reply is whole, from the properties `out` and `splitc`. */
function readEnd(properties: Properties, reply: { encoding: string; wantsText: boolean; maxFrame: number }): ReplyEnd {
  const { splitc } = properties
  switch (properties.out) {
    case 'immed':
      return { kind: 'none' }
    case 'sit':
      return { kind: 'stay', intake: readSitIntake(properties, reply) }
    case 'count':
      return { kind: 'count', bytes: readNumber(properties, 'splitc', { default: 1, min: 0 }) }
    case 'char':
      return { kind: 'byte', byte: readByte(splitc) }
    default:
      return Number(splitc) < 0 ? { kind: 'none' } : { kind: 'time', ms: Number(splitc) || 0 }
  }
}

function readByte(splitc: Properties[string]): number {
  const text = String(splitc ?? '')
  const escaped = ESCAPED_BYTES[text]
  if (escaped !== undefined) return escaped
  if (/^0x[0-9a-f]{1,2}$/i.test(text)) return parseInt(text, 16)
  if (text.length === 0) throw new Error('no character is set that ends the reply')
  return text.charCodeAt(0) & 0xff
}

function readSitIntake(
  properties: Properties,
  { encoding, wantsText, maxFrame }: { encoding: string; wantsText: boolean; maxFrame: number },
): IntakeOptions {
  const newline = wantsText && typeof properties.newline === 'string' ? properties.newline : ''
  return {
    dataType: wantsText ? 'text' : 'buffer',
    encoding,
    maxFrame: readNumber(properties, 'maxReply', { default: maxFrame, min: 1 }),
    framing:
      newline === ''
        ? { kind: 'stream' }
        : { kind: 'delimiter', delimiter: parseDelimiter(newline, encoding), keep: properties.trim === true },
  }
}

// Node-RED imports the default; others require().
export { tcpRequestNode as default, tcpRequestNode as 'module.exports' }
