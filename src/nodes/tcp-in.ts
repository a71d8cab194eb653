import { createBoundedReport } from '../tcp/bounded-report.ts'
import { state } from '../process/state.ts'
import { TcpError } from '../tcp/errors.ts'
import type { Payload } from '../tcp/intake/intake.ts'
import type { Session } from '../tcp/session.ts'
import { boundErrors } from './support/bounded-errors.ts'
import { readDefaults } from './support/defaults.ts'
import { startConnecting, startListening, type SessionUse } from './support/endpoints.ts'
import { nextMessageId } from './support/message-id.ts'
import type { Message, NodeRed, RedNode } from './support/node-red.ts'
import { readIntake, readLinger, readNumber, type Properties } from './support/options.ts'
import { createPendingLimit } from './support/pending.ts'
import { skipUnwantedMetrics } from './support/metrics.ts'
import { outliveFlow } from './support/running-flows.ts'
import { makeReady } from './support/ready.ts'
import { startOrFail } from './support/start.ts'

/** tcp in: receives, as a server or as a client. */
function tcpInNode(RED: NodeRed): void {
  const shared = makeReady(RED, state)
  const defaults = readDefaults(RED)

  function TcpIn(this: RedNode, properties: Properties): void {
    RED.nodes.createNode(this, properties)
    boundErrors(this)
    skipUnwantedMetrics(RED, this)
    outliveFlow(RED, this)
    startOrFail(this, () => start(this, properties))
  }

  function start(node: RedNode, properties: Properties): void {
    const listens = properties.server === 'server' || properties.server === true
    const { topic } = properties
    const pending = createPendingLimit(RED, node, readNumber(properties, 'maxPending', { default: 0, min: 0 }))
    const toMessage = (session: Session, payload: Payload): Message => {
      const _msgid = nextMessageId()
      const _session = { type: 'tcp', id: session.id }
      // As in Node-RED's own node, a client's messages do not say where they come from: there is one place only.
      return listens ? { _msgid, topic, payload, ip: session.ip, port: session.port, _session } : { _msgid, topic, payload, _session }
    }
    let lost = { session: '', ip: '', port: 0 }
    const losses = createBoundedReport('frames were out of step', (message) => {
      const { session, ip, port } = lost
      node.error(new TcpError('FRAMING', message), { ip, port, _session: { type: 'tcp', id: session } })
    })
    node.on('close', (_removed, done) => {
      losses.stop()
      done()
    })
    const use: SessionUse = {
      intake: readIntake(properties, defaults),
      lingerMs: readLinger(properties, defaults),
      onAdopted: pending.adopt,
      onPayload: (session, payload) => pending.send(session, toMessage(session, payload)),
      onTail(session, { payload, complete }) {
        const message = toMessage(session, payload)
        if (complete) pending.send(session, message)
        else node.error(`${session.peer} ended in the middle of a frame: ${payload.length} bytes are left`, message)
      },
      onOutOfStep(session, { message }) {
        lost = { session: session.id, ip: session.ip, port: session.port }
        losses.add(message)
      },
    }
    const context = { RED, node, properties, defaults, shared }
    if (listens) startListening(context, use)
    else startConnecting(context, use)
  }

  RED.nodes.registerType('tcp in', TcpIn)
}

// Node-RED imports the default; others require().
export { tcpInNode as default, tcpInNode as 'module.exports' }
