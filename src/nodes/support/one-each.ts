// How a tcp out node that connects uses its connections.
import type { DiallerState } from '../../tcp/dialler.ts'
import type { Session } from '../../tcp/session.ts'
import type { Context } from './endpoints.ts'
import type { Done } from './node-red.ts'
import { createQueue, type OfflinePolicy, type Queues } from './offline.ts'

type Write = (session: Session, bytes: Buffer, done: Done) => void
type Means = { offline: OfflinePolicy; write: Write }
type QueueingMeans = Means & { queues: Queues }

export type ClientSender = {
  send: Write
  /** There is no connection now. */
  wait: (bytes: Buffer, done: Done) => void
  onState: (state: DiallerState) => void
  /** As in the offline policy. */
  stop: (toBeContinued: boolean) => void
}

/** One connection for all messages. */
export function sendAll({ offline, write }: Means): ClientSender {
  return {
    send: write,
    wait: offline.take,
    onState(state) {
      if (state.kind === 'connected') offline.release((bytes, done) => write(state.session, bytes, done))
    },
    stop() {},
  }
}

/**
 * A connection for each message, which is ended behind it. While the next one is being made messages wait, whatever is to become of them
 * where nobody is there. What has waited for a peer that was away goes over one connection.
 */
export function sendOneEach({ node, properties, defaults }: Context, { offline, write, queues }: QueueingMeans): ClientSender {
  const queue = properties.offline === 'queue' ? offline : createQueue(`${node.id} between`, { properties, defaults, queues })
  let isBetween = false
  const send: Write = (session, bytes, done) => {
    isBetween = true
    write(session, bytes, done)
    session.hangUp()
  }
  return {
    send,
    wait: (bytes, done) => (isBetween ? queue : offline).take(bytes, done),
    onState(state) {
      if (state.kind === 'connecting') return
      const most = isBetween || queue !== offline ? 1 : Infinity
      isBetween = false
      if (state.kind === 'waiting') {
        if (queue !== offline) queue.release(offline.take)
        return
      }
      // A former instance of the node has ended it: the next one is about to be made.
      if (!state.session.isOpen) {
        isBetween = true
        return
      }
      queue.release((bytes, done) => {
        isBetween = true
        write(state.session, bytes, done)
      }, most)
      if (isBetween) state.session.hangUp()
    },
    stop: queue.stop,
  }
}
