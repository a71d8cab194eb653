import type { EndpointInfo } from '../../src/assistant/shared/protocol.ts'
import type { Control } from './control.ts'
import type { FloodOutcome } from './flood-load.ts'

/** What has become of a flood in the server's log: entries that it keeps, and lines that it should have and has not. */
export type Kept = { entries: number; lost: number }

const RECEIVED_TIMEOUT_MS = 60_000

/** Reads the whole log. The ring may drop from its old end, when it is full, and nowhere else. */
export async function checkLog(control: Control, endpoint: string, flood: FloodOutcome, receivedBefore: number): Promise<Kept> {
  const wanted = receivedBefore + flood.bytes
  const info = await control.until(
    endpoint,
    ({ counters, peers }) => counters.rxBytes >= wanted && peers.length === 0,
    `${wanted} bytes received`,
    RECEIVED_TIMEOUT_MS,
  )
  const numbers = await readNumbers(control, endpoint, info, flood)
  let lost = 0
  for (const [connection, count] of flood.sent.entries()) {
    const kept = numbers[connection]!
    if (info.log.dropped === 0) lost += kept[0] ?? 0
    lost += count - ((kept.at(-1) ?? -1) + 1)
    for (const [index, number] of kept.slice(1).entries()) lost += number - kept[index]! - 1
  }
  const entries = info.log.last - info.log.first + 1
  assertFull(control, info, entries)
  return { entries, lost }
}

/** The numbers of the lines of each connection, as the log has them. */
async function readNumbers(control: Control, endpoint: string, { log }: EndpointInfo, { name, sent }: FloodOutcome): Promise<number[][]> {
  const texts = new Map<string, string[]>()
  for (let from = log.first; from <= log.last;) {
    const { entries } = await control.ask('fetch', { endpoint, from, to: log.last })
    for (const { peer, dir, data } of entries) {
      if (dir !== 'rx' || data === undefined) continue
      const parts = texts.get(peer) ?? texts.set(peer, []).get(peer)!
      parts.push(Buffer.from(data, 'base64').toString('latin1'))
    }
    const last = entries.at(-1)?.n
    if (last === undefined) throw new Error(`the log has no entries from ${from} on, although it says that it has ${log.last}`)
    from = last + 1
  }
  const numbers: number[][] = sent.map(() => [])
  for (const parts of texts.values()) {
    // The first line may have begun in an entry that was dropped.
    const lines = parts
      .join('')
      .split('\n')
      .slice(log.dropped > 0 ? 1 : 0)
    for (const line of lines) {
      const [flood, connection, number] = line.split(' ')
      if (flood === name) numbers[Number(connection)]!.push(Number(number))
    }
  }
  return numbers
}

function assertFull({ limits }: Control, { log }: EndpointInfo, entries: number): void {
  if (log.dropped === 0 || entries >= limits.logEntries) return
  const room = limits.logBytes - log.bytes
  if (room > limits.sendBytes) throw new Error(`the log has dropped ${log.dropped} entries with room for ${room} bytes more`)
}
