import type { EndpointSpec } from '../../assistant/shared/spec.ts'
import { isLoopback } from '../../text/address.ts'
import type { Published } from '../../ports/published.ts'
import { notice, type Notice } from '../../assistant/shared/notice.ts'

type Surroundings = { published: Pick<Published, 'reach'>; host: string }

/** What to know about an open endpoint: which flows reach it, and whether devices can. */
export function hintsFor(spec: EndpointSpec, local: { address: string; port: number }, { published, host }: Surroundings): Notice[] {
  if (spec.kind === 'tcp-client') return []
  const { port } = local
  const shortcut = spec.kind === 'udp' || isLoopback(host) ? [] : [notice('SHORTCUT', { host, port })]
  if (isLoopback(local.address)) return shortcut
  const reach = published.reach([port])
  if (spec.kind === 'udp') return reach.kind === 'direct' || spec.host ? [] : [notice('UDP_NOT_PUBLISHED', { port })]
  if (reach.kind !== 'mapped' || reach.partial || reach.publications.some((publication) => publication.port === port)) return shortcut
  return [...shortcut, notice('NOT_PUBLISHED', { port, command: `npm run ports -- publish ${port}` })]
}
