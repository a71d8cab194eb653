import { createHash } from 'node:crypto'

/** A node, tab, group, subflow or config node as it stands in a flow file. */
export type FlowNode = { id: string; type: string; z?: string } & Record<string, unknown>

/**
 * Parses the text of a flow file.
 * @throws Error that says what is wrong with it
 */
export function parseFlow(text: string): FlowNode[] {
  const value: unknown = JSON.parse(text)
  if (!Array.isArray(value)) throw new Error('not a list of nodes')
  for (const [index, node] of (value as Partial<FlowNode>[]).entries()) {
    if (typeof node?.id !== 'string' || typeof node.type !== 'string') throw new Error(`entry ${index} has no "id" or no "type"`)
  }
  return value as FlowNode[]
}

/** A hash of what the nodes say, whatever the order of nodes and of their properties. */
export function hashFlow(nodes: readonly FlowNode[]): string {
  return createHash('sha256').update(formatFlow(nodes)).digest('hex')
}

/** The nodes as JSON in a stable order of properties and nodes (tabs and subflows first), so that diffs are small. */
export function formatFlow(nodes: readonly FlowNode[]): string {
  const sorted = nodes.toSorted((a, b) => rank(a) - rank(b) || compare(a.z ?? '', b.z ?? '') || compare(a.id, b.id))
  return `${JSON.stringify(sorted.map(sortKeys), null, 2)}\n`
}

/** The nodes in `flow` that belong to a file with these ids: the ids themselves and all that lives on their tabs. */
export function nodesOf(flow: readonly FlowNode[], ids: ReadonlySet<string>): FlowNode[] {
  return flow.filter((node) => ids.has(node.id) || (node.z !== undefined && ids.has(node.z)))
}

/** The ids that hold the others: tabs and subflows, or all where a file has config nodes only. */
export function anchorsOf(nodes: readonly FlowNode[]): string[] {
  const containers = nodes.filter(isContainer)
  return (containers.length > 0 ? containers : nodes).map((node) => node.id)
}

function isContainer(node: FlowNode): boolean {
  return node.type === 'tab' || node.type === 'subflow'
}

function rank(node: FlowNode): number {
  return isContainer(node) ? 0 : 1
}

// Not localeCompare: the order must not depend on the machine's language.
function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b)
}

const FIRST_KEYS = ['id', 'type', 'z', 'g', 'name', 'label']

function sortKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sortKeys)
  if (typeof value !== 'object' || value === null) return value
  const position = (key: string) => (FIRST_KEYS.includes(key) ? FIRST_KEYS.indexOf(key) : FIRST_KEYS.length)
  const entries = Object.entries(value).toSorted(([a], [b]) => position(a) - position(b) || compare(a, b))
  return Object.fromEntries(entries.map(([key, inner]) => [key, sortKeys(inner)]))
}
