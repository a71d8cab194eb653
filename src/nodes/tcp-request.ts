import { state } from '../process/state.ts'
import type { Budget } from '../tcp/budget.ts'
import type { Payload } from '../tcp/intake/intake.ts'
import type { Orphans } from '../tcp/orphans.ts'
import { Requester, type RequesterEvents } from '../tcp/requester.ts'
import type { Request } from '../tcp/requester/line.ts'
import { decodeText } from '../tcp/encoding.ts'
import { TcpError } from '../tcp/errors.ts'
import { boundErrors } from './support/bounded-errors.ts'
import { readDefaults, type FilledDefaults } from './support/defaults.ts'
import type { Done, Message, NodeRed, NodeStatus, RedNode } from './support/node-red.ts'
import { readEncoding, readNumber, readPort, readWriteLimit, type Properties } from './support/options.ts'
import { toBytes } from './support/payload.ts'
import { skipUnwantedMetrics } from './support/metrics.ts'
import { outliveFlow } from './support/running-flows.ts'
import { makeReady } from './support/ready.ts'
import { readReplyEnd } from './support/reply-end.ts'
import { createRequestStatus } from './support/request-status.ts'
import { isShuttingDown } from './support/shutdown.ts'
import { countConnections } from './support/texts.ts'
import { startOrFail } from './support/start.ts'
import { readTls, warnOfValidity } from './support/tls.ts'

// The longest delay of a Node.js timer.
const MAX_TIMER_MS = 2 ** 31 - 1

type Requesters = Map<string, Requester<Message>>

/** `orphans`: requests of nodes that were stopped, by node; its next instance sees to them. */
type Setup = { properties: Properties; defaults: FilledDefaults; budget: Budget; orphans: Orphans<string, Requesters> }

/** tcp request: sends, and gives back the answer. */
function tcpRequestNode(RED: NodeRed): void {
  const { engine } = makeReady(RED, state)
  const { budget } = engine
  const orphans = engine.orphans.open<string, Requesters>(stopAll)
  const defaults = readDefaults(RED)

  function TcpRequest(this: RedNode, properties: Properties): void {
    RED.nodes.createNode(this, properties)
    boundErrors(this)
    skipUnwantedMetrics(RED, this)
    outliveFlow(RED, this)
    startOrFail(this, () => start(RED, this, { properties, defaults, budget, orphans }))
  }

  RED.nodes.registerType('tcp request', TcpRequest)
}

function start(RED: NodeRed, node: RedNode, { properties, defaults, budget, orphans }: Setup): void {
  const encoding = readEncoding(properties)
  const wantsText = properties.ret === 'string'
  const maxReply = readNumber(properties, 'maxReply', { default: defaults.maxFrame, min: 1 })
  const options = {
    tls: readTls(RED, properties, { server: false }),
    end: readReplyEnd(properties, { encoding, wantsText, maxReply }),
    maxReply,
    maxWaiting: defaults.queueSize,
    budget,
    writeLimit: readWriteLimit(properties, defaults),
    patience: { timeoutMs: readTimeout(properties, defaults), othersWaitMs: defaults.replyMs },
    separate: properties.separate === true,
  }
  warnOfValidity(node, options.tls)
  const requesters: Requesters = new Map()
  const status = createRequestStatus(node, () => [...requesters.values()].reduce((sum, { waiting }) => sum + waiting, 0))
  let stopped = false

  function eventsOf(key: string): RequesterEvents<Message> {
    return {
      onReply: (message, payload, partial) => node.send(toReply(message, payload, partial)),
      onFailure: (message, error) => node.error(error, message),
      onConnected: () => showConnections(),
      onEnded(state) {
        if (state === 'failed') show({ fill: 'red', shape: 'ring', text: 'common.status.error' })
        else if (state === 'disconnected') show({ fill: 'grey', shape: 'ring', text: 'common.status.disconnected' })
        else show({})
      },
      onWaiting: () => void (stopped || status.countWaiting()),
      onIdle: () => void requesters.delete(key),
    }
  }

  // The next instance may show its status already.
  const show = (next: NodeStatus) => void (stopped || status.show(next))

  function requesterFor(host: string, port: number): Requester<Message> {
    const key = `${host}:${port}`
    let requester = requesters.get(key)
    if (!requester) {
      requester = new Requester<Message>({ ...options, host, port }, eventsOf(key))
      requesters.set(key, requester)
    }
    return requester
  }

  /** Takes over what the node's former instance has asked, and asks again what it has not sent. */
  function adopt(former: Requesters): void {
    const again: Request<Message>[] = []
    for (const [key, requester] of former) {
      requesters.set(key, requester)
      const { host, port } = requester
      const moved = String(properties.server || host) !== host || Number(properties.port || port) !== port
      again.push(...requester.adopt({ ...options, host, port }, eventsOf(key), { moved }))
    }
    if (former.size > 0) showConnections()
    for (const { about, done } of again) askOrFail(about, done)
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
    show({ fill: 'green', shape: count === 0 ? 'ring' : 'dot', text: countConnections(count), connections: count })
  }

  function reset(which: unknown): void {
    const stopped = which === true ? [...requesters.keys()] : requesters.has(String(which)) ? [String(which)] : []
    for (const key of stopped) {
      requesters.get(key)?.stop('the connection was reset by a message')
      requesters.delete(key)
    }
    showConnections()
  }

  function ask(message: Message, done: Done): void {
    if (options.end.kind === 'stay' && message.reset) {
      reset(message.reset)
      if (!Object.hasOwn(message, 'payload')) return done()
    }
    const host = String(properties.server || asText(message.host))
    if (host === '') throw new TcpError('CONNECT', 'no host is set: set it in the node or in msg.host')
    const port = readPort(properties.port || asText(message.port))
    const bytes = toBytes(message.payload, { form: 'text', encoding })
    requesterFor(host, port).send({ about: message, bytes, done })
  }

  function askOrFail(message: Message, done: Done): void {
    try {
      ask(message, done)
    } catch (error) {
      done(error as Error)
    }
  }

  node.on('input', (message, _send, done) => askOrFail(message, done))
  node.on('close', (removed, done) => {
    stopped = true
    if (removed || isShuttingDown()) stopAll(requesters)
    else if (requesters.size > 0) orphans.add(node.id, requesters)
    status.stop()
    node.status({})
    done()
  })
  const former = orphans.take(node.id)
  if (former) adopt(former)
}

function stopAll(requesters: Requesters): void {
  for (const requester of requesters.values()) requester.stop('the node was stopped')
  requesters.clear()
}

/** How long a peer may be silent, as set for the node or the process. */
function readTimeout(properties: Properties, { idleMs }: FilledDefaults): number | undefined {
  const unset = -1
  const ms = readNumber(properties, 'replyTimeout', { default: unset, min: 0, max: MAX_TIMER_MS })
  return ms !== unset ? ms : idleMs > 0 ? idleMs : undefined
}

/** A host or port from a message. */
function asText(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : ''
}

// Node-RED imports the default; others require().
export { tcpRequestNode as default, tcpRequestNode as 'module.exports' }
