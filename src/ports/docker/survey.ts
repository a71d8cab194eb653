// Both sides of the story: what Node-RED listens on, and what Docker publishes.
import { diagnose, type PortRow } from '../shared/diagnosis.ts'
import type { PortsSnapshot, PublishFailure, Reach } from '../shared/facts.ts'
import type { Engine } from './docker.ts'
import { ProjectUnavailable } from './errors.ts'
import { isUp, listForwarders, publicationOf, type Forwarder } from './forwarders.ts'
import { findHolder } from './holders.ts'
import { requireRunning, type NodeRed } from './project.ts'
import { readSnapshot } from './status.ts'

export type Survey = { nodeRed: NodeRed; forwarders: Forwarder[]; snapshot: PortsSnapshot; rows: PortRow[] }

/** The status port of a Node-RED that runs. @throws ProjectUnavailable */
export function statusUrlOf(nodeRed: NodeRed, given: string | undefined): string {
  requireRunning(nodeRed)
  const url = given ?? nodeRed.statusUrl
  if (url === undefined) throw new ProjectUnavailable(`${nodeRed.name} does not publish its status port 1881: --status says where it is`)
  return url
}

/** Looks at both and tells what is wrong. @throws ProjectUnavailable when Node-RED does not answer */
export async function survey(engine: Engine, nodeRed: NodeRed, status: string | undefined): Promise<Survey> {
  const [snapshot, forwarders] = await Promise.all([readSnapshot(statusUrlOf(nodeRed, status)), listForwarders(engine, nodeRed.project)])
  const reach = await readReach(engine, { nodeRed, forwarders, snapshot })
  return { nodeRed, forwarders, snapshot, rows: diagnose(snapshot, reach) }
}

async function readReach(engine: Engine, { nodeRed, forwarders, snapshot }: Omit<Survey, 'rows'>): Promise<Reach> {
  if (nodeRed.direct) return { kind: 'direct' }
  const publications = [...nodeRed.published, ...forwarders.filter(isUp).map(publicationOf)]
  const reached = new Set(publications.map(({ port }) => port))
  const unpublished = snapshot.listeners.filter(({ role, state, port }) => role === 'flow' && state === 'listening' && !reached.has(port))
  const failures: PublishFailure[] = []
  for (const { port } of unpublished) {
    const holder = await findHolder(engine, { address: nodeRed.bind, hostPort: port })
    if (holder !== undefined) failures.push({ port, hostPort: port, code: 'HOST_PORT_TAKEN', holder })
  }
  return { kind: 'mapped', publications, failures }
}
