import type { FlowNode } from './flow-set.ts'
import type { Source } from './sources.ts'

const BASE = 'ui-base'

/**
 * Takes out of the sources those whose dashboard would be a second one: with two `ui-base` nodes Node-RED's dashboard shows neither.
 * One that the user has comes first, then that of the last folder.
 */
export function withOneDashboard(sources: readonly Source[], flow: readonly FlowNode[]): { kept: Source[]; aside: Source[] } {
  const provisioned = new Set(sources.flatMap((source) => basesOf(source.nodes)))
  const isUsers = basesOf(flow).some((id) => !provisioned.has(id))
  const last = isUsers ? undefined : sources.findLast((source) => basesOf(source.nodes).length > 0)
  const stays = (source: Source) => source === last || basesOf(source.nodes).length === 0
  return { kept: sources.filter(stays), aside: sources.filter((source) => !stays(source)) }
}

function basesOf(nodes: readonly FlowNode[]): string[] {
  return nodes.filter(({ type }) => type === BASE).map(({ id }) => id)
}

/** The `ui-base` nodes of a flow that give way to another, as their files would at the next start. */
export function basesAside(sources: readonly Source[], flow: readonly FlowNode[]): string[] {
  const present = new Set(basesOf(flow))
  return withOneDashboard(sources, flow)
    .aside.flatMap(({ nodes }) => basesOf(nodes))
    .filter((id) => present.has(id))
}
