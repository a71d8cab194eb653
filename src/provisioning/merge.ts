import { anchorsOf, hashFlow, nodesOf, type FlowNode } from './flow-set.ts'
import type { Source } from './sources.ts'
import { templateTexts } from './texts.ts'

/** What was last provisioned from one file. `anchors` are the tabs and subflows that hold the rest. */
export type ProvisionRecord = { hash: string; ids: string[]; anchors: string[] }

/** What was last provisioned, by file name without `.json`. */
export type ProvisionRecords = Record<string, ProvisionRecord>

/** How a provisioned file relates to the deployed flows. */
export type FileState = 'new' | 'current' | 'outdated' | 'edited' | 'deleted'

export type Action = 'added' | 'updated' | 'unchanged' | 'kept' | 'stays deleted' | 'removed' | 'left to the user'
export type MergeResult = { flow: FlowNode[]; records: ProvisionRecords; actions: { name: string; action: Action }[] }

const ACTIONS: Record<FileState, Action> = {
  new: 'added',
  current: 'unchanged',
  outdated: 'updated',
  edited: 'kept',
  deleted: 'stays deleted',
}

/** The nodes of a file as they stand in the flow, user's additions to its tabs included; undefined when its tabs are gone. */
export function presentNodes(
  flow: readonly FlowNode[],
  source: Source | undefined,
  record: ProvisionRecord | undefined,
): FlowNode[] | undefined {
  const anchors = new Set([...(source ? anchorsOf(source.nodes) : []), ...(record?.anchors ?? [])])
  if (!flow.some((node) => anchors.has(node.id))) return undefined
  const ids = new Set([...(source ? idsOf(source) : []), ...(record?.ids ?? [])])
  const recorded = new Set(record?.ids)
  // A node of another tab that happens to have an id that only the file's new version has is somebody else's.
  return nodesOf(flow, ids).filter(({ id, z }) => z === undefined || ids.has(z) || recorded.has(id))
}

/** How `source` relates to `flow`, by the record of what was provisioned before. */
export function stateOf(source: Source, flow: readonly FlowNode[], record: ProvisionRecord | undefined): FileState {
  const present = presentNodes(flow, source, record)
  if (present === undefined) return record === undefined ? 'new' : 'deleted'
  const hash = hashFlow(present)
  if (hash === hashFlow(source.nodes)) return 'current'
  return hash === record?.hash ? 'outdated' : 'edited'
}

/** Merges the provisioned files into the user's flow; what the user has edited or deleted stays as it is. */
export function mergeFlows(input: {
  flow: readonly FlowNode[]
  sources: readonly Source[]
  records: ProvisionRecords
  unreadable: readonly string[]
}): MergeResult {
  const result: MergeResult = { flow: [...input.flow], records: {}, actions: [] }
  const records = underNewNames(input.records, input.sources, input.unreadable)
  for (const source of input.sources) mergeSource(source, records[source.name], result)
  for (const [name, record] of Object.entries(records)) {
    if (input.sources.some((source) => source.name === name)) continue
    // A file that cannot be read today may be repaired tomorrow: it is not gone.
    if (input.unreadable.includes(name)) result.records[name] = record
    else retire(name, record, result)
  }
  return result
}

/** A file that was renamed is still the same: its tabs must not go with its former name. */
function underNewNames(records: ProvisionRecords, sources: readonly Source[], unreadable: readonly string[]): ProvisionRecords {
  const renamed = Object.entries(records).map(([name, record]) => {
    if (unreadable.includes(name) || sources.some((source) => source.name === name)) return [name, record]
    const now = sources.find((source) => !(source.name in records) && anchorsOf(source.nodes).some((id) => record.anchors.includes(id)))
    return [now?.name ?? name, record]
  })
  return Object.fromEntries(renamed) as ProvisionRecords
}

function mergeSource(source: Source, record: ProvisionRecord | undefined, result: MergeResult): void {
  const state = stateOf(source, result.flow, record)
  const latest = { hash: hashFlow(source.nodes), ids: idsOf(source), anchors: anchorsOf(source.nodes) }
  if (state === 'new') result.flow.push(...withoutPresent(source.nodes, result.flow))
  if (state === 'outdated') result.flow = replaceNodes(result.flow, new Set([...record!.ids, ...latest.ids]), source.nodes)
  if (state === 'edited') result.flow = withCurrentTexts(result.flow, source)
  const untouched = state === 'new' || state === 'outdated' || state === 'current'
  // An unknown tab that differs counts as edited from now on, so that its deletion is respected too.
  result.records[source.name] = untouched ? latest : (record ?? { ...latest, hash: '' })
  result.actions.push({ name: source.name, action: ACTIONS[state] })
}

/** What a user has edited stays, but for texts that are the file's own with other ports in them: those follow the ports. */
function withCurrentTexts(flow: readonly FlowNode[], source: Source): FlowNode[] {
  const current = new Map(source.nodes.map((node) => [node.id, node]))
  const templates = templateTexts(flow, source.template)
  return flow.map((node, index) => {
    const changed = Object.entries(templates[index]!).filter(([key, value]) => value !== node[key])
    const texts = changed.map(([key]) => [key, current.get(node.id)?.[key]] as const).filter(([key, text]) => text !== node[key])
    return texts.length === 0 ? node : { ...node, ...Object.fromEntries(texts) }
  })
}

/** The file is gone from the source: what nobody touched goes with it. A user's deletion stays on record. */
function retire(name: string, record: ProvisionRecord, result: MergeResult): void {
  const present = presentNodes(result.flow, undefined, record)
  if (present === undefined) {
    result.records[name] = record
  } else if (hashFlow(present) === record.hash) {
    result.flow = replaceNodes(result.flow, new Set(record.ids), [])
    result.actions.push({ name, action: 'removed' })
  } else {
    result.actions.push({ name, action: 'left to the user' })
  }
}

function idsOf(source: Source): string[] {
  return source.nodes.map((node) => node.id)
}

function withoutPresent(nodes: readonly FlowNode[], flow: readonly FlowNode[]): FlowNode[] {
  const present = new Set(flow.map((node) => node.id))
  return nodes.filter((node) => !present.has(node.id))
}

/** In place of the old nodes, so that tabs keep their order. */
function replaceNodes(flow: readonly FlowNode[], ids: ReadonlySet<string>, replacement: readonly FlowNode[]): FlowNode[] {
  const old = new Set(nodesOf(flow, ids))
  const index = flow.findIndex((node) => old.has(node))
  return [...flow.slice(0, index), ...replacement, ...flow.slice(index).filter((node) => !old.has(node))]
}
