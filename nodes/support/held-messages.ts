import type { Message } from './node-red.ts'

const MAX_MESSAGES = 10_000
const MAX_BYTES = 64 * 1024 * 1024

/** Messages that wait for nodes that are being replaced, each node's in order. */
export type HeldMessages = {
  hold: (id: string, message: Message) => void
  /** Whether messages wait for this node, so that further ones stand behind them. */
  has: (id: string) => boolean
  /** Gives all away, in the order in which they came; tells how many were lost. `deliver` says whether there was anybody to take it. */
  release: (deliver: (id: string, message: Message) => boolean) => number
}

export function createHeldMessages(): HeldMessages {
  let held: { id: string; message: Message }[] = []
  let bytes = 0
  let lost = 0
  const waitedFor = new Set<string>()
  return {
    hold(id, message) {
      const size = sizeOf(message.payload)
      if (held.length >= MAX_MESSAGES || bytes + size > MAX_BYTES) {
        lost += 1
        return
      }
      bytes += size
      waitedFor.add(id)
      held.push({ id, message })
    },
    has: (id) => waitedFor.has(id),
    release(deliver) {
      const all = held
      let gone = lost
      held = []
      bytes = lost = 0
      waitedFor.clear()
      for (const { id, message } of all) if (!deliver(id, message)) gone += 1
      return gone
    },
  }
}

function sizeOf(payload: unknown): number {
  return typeof payload === 'string' || Buffer.isBuffer(payload) ? payload.length : 0
}
