import type { Told } from '../../assistant/shared/protocol.ts'
import type { EndpointSpec } from '../../assistant/shared/spec.ts'
import type { Published } from '../../ports/published.ts'

/** What to know of an endpoint that is open now: whether devices reach it. */
export function hintsFor(spec: EndpointSpec, local: { address: string; port: number }, published: Pick<Published, 'reach'>): Told[] {
  if (spec.kind === 'tcp-client' || isLoopback(local.address)) return []
  const { port } = local
  const reach = published.reach([port])
  if (spec.kind === 'udp') return reach.kind === 'direct' || spec.host ? [] : [{ code: 'UDP_NOT_PUBLISHED', params: { port } }]
  if (reach.kind !== 'mapped' || reach.partial || reach.publications.some((publication) => publication.port === port)) return []
  return [{ code: 'NOT_PUBLISHED', params: { port, command: `npm run ports -- publish ${port}` } }]
}

function isLoopback(address: string): boolean {
  return address === '::1' || address.startsWith('127.')
}
