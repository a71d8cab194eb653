import { anchorsOf, hashFlow, type FlowNode } from './flow-set.ts'
import { presentNodes, stateOf, type ProvisionRecord, type ProvisionRecords } from './merge.ts'
import type { NodeTypes } from './node-types.ts'
import type { BrokenSource, Source } from './sources.ts'

type Place = { flow: readonly FlowNode[]; records: ProvisionRecords; types: NodeTypes }

/**
 * Parts the files that fit from those that would do harm: Node-RED runs no flow at all while one node has an unknown type, and a node whose
 * id is taken cannot be added. `retired`: the names of those whose tabs must go, since nobody has edited them and they stop the others.
 */
export function withoutMisfits(
  sources: readonly Source[],
  place: Place,
): { fitting: Source[]; misfits: BrokenSource[]; retired: string[] } {
  const all = [...place.flow, ...sources.flatMap(({ nodes }) => nodes)]
  const subflows = new Set(all.filter(({ type }) => type === 'subflow').map(({ id }) => `subflow:${id}`))
  const isUnknown = ({ type }: FlowNode) => !subflows.has(type) && !place.types.has(type)
  const fitting: Source[] = []
  const misfits: BrokenSource[] = []
  const retired: string[] = []
  for (const source of sources) {
    const unknown = new Set(source.nodes.filter(isUnknown).map(({ type }) => `"${type}"`))
    const present = presentNodes(place.flow, source, place.records[source.name]) ?? []
    const reason = unknown.size > 0 ? describeUnknown([...unknown]) : describeTaken(source, place)
    if (reason === undefined) fitting.push(source)
    else misfits.push({ name: source.name, path: source.path, reason })
    if (unknown.size > 0 && present.some(isUnknown) && hashFlow(present) === place.records[source.name]?.hash) retired.push(source.name)
  }
  return { fitting, misfits, retired }
}

function describeUnknown(types: readonly string[]): string {
  const what =
    types.length === 1
      ? `the node type ${types[0]}, which no installed module has`
      : `node types that no installed module has: ${types.join(', ')}`
  return `it needs ${what}. Install the module, and the flow comes at the next start`
}

/** Which node of the file has the id of another one that is in the flows; undefined when none has. */
function describeTaken(source: Source, { flow, records }: Place): string | undefined {
  const record = records[source.name]
  const state = stateOf(source, flow, record)
  if (state !== 'new' && state !== 'outdated') return undefined
  const own = ownIds(source, record)
  const byId = new Map(flow.map((node) => [node.id, node]))
  for (const node of source.nodes) {
    const other = byId.get(node.id)
    if (!other || own.has(other.id) || (other.z !== undefined && own.has(other.z))) continue
    // A configuration node that was left behind when its tab was deleted, or that another tab uses as well.
    if (other.z === undefined && hashFlow([other]) === hashFlow([node])) continue
    return `node id "${node.id}" is ${placeOf(other, byId)} already; give it another id in the file, or delete that one`
  }
  return undefined
}

/** What was put there from this file: what has these ids, or is on these tabs, may be replaced. */
function ownIds(source: Source, record: ProvisionRecord | undefined): Set<string> {
  return new Set(record ? [...record.ids, ...record.anchors, ...anchorsOf(source.nodes).filter((id) => record.anchors.includes(id))] : [])
}

function placeOf({ z }: FlowNode, byId: ReadonlyMap<string, FlowNode>): string {
  const container = z === undefined ? undefined : byId.get(z)
  if (!container) return 'among the deployed nodes'
  const name = container.type === 'tab' ? container.label : container.name
  return `on the ${container.type} "${typeof name === 'string' ? name : container.id}"`
}
