import type { Account, Budget } from '../../tcp/budget.ts'
import { TcpError } from '../../tcp/errors.ts'
import { formatSize } from '../../tcp/memory.ts'
import type { Message } from './node-red.ts'
import { weigh } from './weigh.ts'

const MAX_MESSAGES = 10_000
const MAX_BYTES = 64 * 1024 * 1024

/** Where the messages go; each returns whether there was a receiver. */
export type Receiver = {
  deliver: (id: string, message: Message) => boolean
  fail: (id: string, error: TcpError, message: Message) => boolean
}

/** Messages that wait for nodes that are being replaced, each node's in order. */
export type HeldMessages = {
  hold: (id: string, message: Message) => void
  /** Whether messages wait for this node, so that further ones stand behind them. */
  has: (id: string) => boolean
  /** Gives all away, in the order in which they came, those that had no place as errors; tells for how many there was nobody. */
  release: (receiver: Receiver) => number
}

/** `error`: why the message lost its payload. */
type Held = { id: string; message: Message; size: number; error?: TcpError }

/** What waits has limits of its own, and counts to the budget. A message that has to go leaves its payload, and is an error of its node's. */
export function createHeldMessages(budget: Budget): HeldMessages {
  let held: Held[] = []
  let bytes = 0
  const accounts = new Map<string, Account>()
  const waitedFor = new Set<string>()
  /** Beyond what can be kept even without payload, by node. */
  const uncounted = new Map<string, number>()

  function accountOf(id: string): Account {
    let account = accounts.get(id)
    if (!account) {
      const evict = (error: TcpError) => {
        accounts.delete(id)
        for (const one of held) if (one.id === id) drop(one, error)
      }
      account = budget.open({ ip: '', label: `what waits in a deploy for node ${id}`, outcome: 'was dropped', evict })
      accounts.set(id, account)
    }
    return account
  }

  function drop(one: Held, error: TcpError): void {
    if (one.error) return
    bytes -= one.size
    const { payload: _payload, ...rest } = one.message
    one.message = rest
    one.error = error
  }

  return {
    hold(id, message) {
      waitedFor.add(id)
      if (held.length >= MAX_MESSAGES) return void uncounted.set(id, (uncounted.get(id) ?? 0) + 1)
      const one: Held = { id, message, size: weigh(message.payload) }
      held.push(one)
      bytes += one.size
      if (bytes > MAX_BYTES) return drop(one, tooMuch(`its ${one.size} bytes were too many`))
      if (one.size === 0) return
      const account = accountOf(id)
      account.setUnsent(account.unsent + one.size)
    },
    has: (id) => waitedFor.has(id),
    release({ deliver, fail }) {
      const all = held
      const further = [...uncounted]
      held = []
      bytes = 0
      waitedFor.clear()
      uncounted.clear()
      for (const account of accounts.values()) account.close()
      accounts.clear()
      let lost = 0
      for (const { id, message, error } of all) if (!(error ? fail(id, error, message) : deliver(id, message))) lost += 1
      for (const [id, count] of further)
        if (!fail(id, tooMuch(`${count} ${count === 1 ? 'message was' : 'messages were'} too many`), {})) lost += count
      return lost
    },
  }
}

function tooMuch(what: string): TcpError {
  const limit = `${MAX_MESSAGES} messages and ${formatSize(MAX_BYTES)}`
  return new TcpError('QUEUE_LIMIT', `lost while its node was being replaced by a deploy: ${what}, and ${limit} may wait`)
}
