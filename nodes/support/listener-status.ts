import { isLoopback } from '../../ports/diagnosis.ts'
import type { Reach } from '../../ports/facts.ts'
import { formatAddress } from '../../tcp/address.ts'
import type { ListenerState } from '../../tcp/listener.ts'
import type { NodeStatus } from './node-red.ts'
import { countConnections } from './texts.ts'

/** What a node that listens shows: where it can be reached, and by how many it is. */
export function listenerStatus(
  state: ListenerState | undefined,
  { count, reach, warning }: { count: number; reach: Reach; warning: string | undefined },
): NodeStatus {
  const connections = countConnections(count)
  if (state === undefined) return { fill: 'grey', shape: 'ring', text: connections }
  if (state.kind === 'failed') return { fill: 'red', shape: 'ring', text: state.error.message }
  const shape = count > 0 ? 'dot' : 'ring'
  const text = `listening ${placeText(state, reach)} · ${connections}`
  return warning === undefined ? { fill: 'green', shape, text } : { fill: 'yellow', shape, text: `${text} · ${warning}` }
}

function placeText({ address, port }: { address: string; port: number }, reach: Reach): string {
  // A wildcard says the same in both spellings; this one people know.
  const bound = formatAddress(address === '::' ? '0.0.0.0' : address, port)
  if (reach.kind === 'direct') return bound
  if (reach.kind === 'unknown') return `:${port}`
  if (isLoopback(address)) return `${bound} · inside the container only`
  const ways = reach.publications.filter((publication) => publication.port === port)
  if (ways.length > 0) return `:${port} → ${ways.map((way) => formatAddress(way.address, way.hostPort)).join(', ')}`
  return reach.partial ? `:${port}` : `:${port} · not published`
}
