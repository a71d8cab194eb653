import { state } from '../process/state.ts'
import type { Engine } from '../tcp/engine.ts'
import { TcpError } from '../tcp/errors.ts'
import type { WriteLimit } from '../tcp/outbox.ts'
import type { Session } from '../tcp/session.ts'
import { boundErrors } from './support/bounded-errors.ts'
import { writeToAll } from './support/broadcast.ts'
import { readDefaults } from './support/defaults.ts'
import { sessionsAround, sessionsOfTcpIn, startConnecting, startListening, type Context, type SessionUse } from './support/endpoints.ts'
import type { Done, Message, NodeRed, RedNode, SessionRef } from './support/node-red.ts'
import { createOfflinePolicy, openQueues, type Queues } from './support/offline.ts'
import { sendAll, sendOneEach } from './support/one-each.ts'
import { readTextForm, readWriteLimit, type Properties } from './support/options.ts'
import { toBytes } from './support/payload.ts'
import { skipUnwantedMetrics } from './support/metrics.ts'
import { outliveFlow } from './support/running-flows.ts'
import { makeReady } from './support/ready.ts'
import { isShuttingDown } from './support/shutdown.ts'
import { startOrFail } from './support/start.ts'

// What the peer sends back is read and dropped, so that its end is noticed.
const SILENT: SessionUse = { intake: undefined, lingerMs: 0, onPayload() {}, onTail() {} }

const MAX_SHOWN_LENGTH = 40

type Sender = { context: Context; limit: WriteLimit; bytesOf: (message: Message) => Buffer | undefined }

/** tcp out: sends, as a client, as a server to all its clients, or as a reply. */
function tcpOutNode(RED: NodeRed): void {
  const shared = makeReady(RED, state)
  const queues = openQueues(shared.engine)
  const defaults = readDefaults(RED)

  function TcpOut(this: RedNode, properties: Properties): void {
    RED.nodes.createNode(this, properties)
    boundErrors(this)
    skipUnwantedMetrics(RED, this)
    outliveFlow(RED, this)
    startOrFail(this, () => {
      const text = readTextForm(properties)
      const sender: Sender = {
        context: { RED, node: this, properties, defaults, shared },
        limit: readWriteLimit(properties, defaults),
        bytesOf: ({ payload }) => toBytes(payload, text),
      }
      if (properties.beserver === 'reply') startReplying(sender)
      else if (properties.beserver === 'server') startServing(sender)
      else startClient(sender, queues)
    })
  }

  RED.nodes.registerType('tcp out', TcpOut)
}

function startServing({ context, limit, bytesOf }: Sender): void {
  const { node, properties } = context
  const endpoint = startListening(context, SILENT)
  onMessage(node, bytesOf, (bytes, _message, done) => {
    const targets = [...endpoint.sessions]
    writeToAll(targets, { bytes, limit, done })
    if (properties.end === true) for (const session of targets) session.hangUp()
  })
}

function startClient({ context, limit, bytesOf }: Sender, queues: Queues): void {
  const { node, properties, defaults } = context
  const offline = createOfflinePolicy(node.id, { properties, defaults, queues })
  const write = (session: Session, bytes: Buffer, done: Done) => session.write(bytes, { limit, done })
  const sender = properties.end === true ? sendOneEach(context, { offline, write, queues }) : sendAll({ offline, write })
  const endpoint = startConnecting(context, { ...SILENT, onState: sender.onState })
  onMessage(node, bytesOf, (bytes, _message, done) => {
    const { session } = endpoint
    if (session) sender.send(session, bytes, done)
    else sender.wait(bytes, done)
  })
  node.on('close', (removed, done) => {
    const toBeContinued = !removed && !isShuttingDown()
    sender.stop(toBeContinued)
    offline.stop(toBeContinued)
    done()
  })
}

function startReplying({ context, limit, bytesOf }: Sender): void {
  const { node, properties } = context
  const { engine } = context.shared
  const targetsOf = (): Session[] => {
    if (properties.scope === 'none') throw new TcpError('SESSION_CLOSED', 'the message has no _session, so it is a reply to nobody')
    return properties.scope === 'all' ? sessionsOfTcpIn(context.shared) : sessionsAround(context)
  }
  onInput(node, (message, done) => {
    if (message.reset === true) resetSessions(message._session, { engine, targetsOf }, done)
    else reply(message, done)
  })
  function reply(message: Message, done: Done): void {
    const bytes = bytesOf(message)
    if (bytes === undefined) done()
    else if (message._session) sessionOf(message._session, engine).write(bytes, { limit, done })
    else writeToAll(targetsOf(), { bytes, limit, done })
  }
}

function resetSessions(ref: unknown, { engine, targetsOf }: { engine: Engine; targetsOf: () => Session[] }, done: Done): void {
  for (const session of ref ? [sessionOf(ref, engine)] : targetsOf()) session.socket.destroy()
  done()
}

/** The session that a message belongs to. */
function sessionOf(ref: unknown, engine: Engine): Session {
  const { type, id } = Object(ref) as Partial<SessionRef>
  if (typeof id !== 'string' || typeof type !== 'string') {
    const form = '{"type":"tcp","id":"…"}, as in the messages of a tcp in node'
    throw new TcpError('SESSION_CLOSED', `msg._session is ${describe(ref)}, so it says nobody to reply to: set it to ${form}`)
  }
  if (type !== 'tcp') throw new TcpError('SESSION_CLOSED', `the message belongs to a ${type} session, not to a TCP one`)
  const session = engine.findSession(id)
  if (!session) throw new TcpError('SESSION_CLOSED', `the TCP session ${id} is closed, so the reply was not sent`)
  return session
}

function describe(value: unknown): string {
  if (typeof value !== 'string') return `${Array.isArray(value) ? 'an array' : `of type ${typeof value}`} without a type and an id`
  const shown = value.length > MAX_SHOWN_LENGTH ? `${value.slice(0, MAX_SHOWN_LENGTH)}…` : value
  return `the text ${JSON.stringify(shown)}`
}

function onMessage(node: RedNode, bytesOf: Sender['bytesOf'], write: (bytes: Buffer, message: Message, done: Done) => void): void {
  onInput(node, (message, done) => {
    const bytes = bytesOf(message)
    if (bytes === undefined) done()
    else write(bytes, message, done)
  })
}

/** What `handle` throws is the message's error. */
function onInput(node: RedNode, handle: (message: Message, done: Done) => void): void {
  node.on('input', (message, _send, done) => {
    try {
      handle(message, done)
    } catch (error) {
      done(error as Error)
    }
  })
}

// Node-RED imports the default; others require().
export { tcpOutNode as default, tcpOutNode as 'module.exports' }
