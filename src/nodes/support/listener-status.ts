import type { Publication, Reach } from '../../ports/shared/facts.ts'
import { formatAddress, isLoopback } from '../../text/address.ts'
import { systemCodeOf } from '../../tcp/errors.ts'
import type { ListenerState } from '../../tcp/listener.ts'
import type { ListeningStatus, NodeStatus } from './node-red.ts'
import { countConnections } from './texts.ts'

/** What a node that listens shows: Node-RED's text, and beside it for the editor how many are connected and where the port is reached. */
export function listenerStatus(
  state: ListenerState | undefined,
  { port, count, reach, warning }: { port: number; count: number; reach: Reach; warning: string | undefined },
): NodeStatus {
  const connected = { text: countConnections(count), connections: count }
  if (state === undefined) return { fill: 'grey', shape: 'ring', ...connected }
  if (state.kind === 'failed') {
    const { message, code } = state.error
    return {
      fill: 'red',
      shape: 'ring',
      text: message,
      failed: { reason: message, ...(code === 'LISTEN' && { port, errno: systemCodeOf(state.error) ?? 'EADDRINUSE' }) },
    }
  }
  const shape = count > 0 ? 'dot' : 'ring'
  const listening = whereOf(state, reach)
  if (warning === undefined) return { fill: 'green', shape, ...connected, listening }
  return { fill: 'yellow', shape, ...connected, listening, warning }
}

function whereOf({ address, port }: { address: string; port: number }, reach: Reach): ListeningStatus {
  const where = { address: address === '::' ? '0.0.0.0' : address, port }
  if (reach.kind === 'direct') return { ...where, reach: 'direct' }
  if (reach.kind === 'unknown') return { ...where, reach: 'unknown' }
  if (isLoopback(address)) return { ...where, reach: 'insideOnly' }
  const ways = reach.publications.filter((publication) => publication.port === port)
  if (ways.length > 0) {
    const publications = ways.map(({ address, hostPort }) => ({ address, hostPort }))
    return { ...where, reach: 'published', ways: ways.map(wayText), publications }
  }
  return { ...where, reach: reach.partial ? 'unknown' : 'notPublished' }
}

function wayText({ address, hostPort }: Publication): string {
  return formatAddress(address, hostPort)
}
