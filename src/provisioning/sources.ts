import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseFlow, type FlowNode } from './flow-set.ts'
import { fillTexts, type Values } from './texts.ts'

const ORDER_FILE = 'order.txt'

/** A folder of flow files; with `only`, no others of it than these names. */
export type FlowFolder = { path: string; only?: readonly string[] }

/** Where flow files come from, and the values for their texts. */
export type Origin = { folders: readonly FlowFolder[]; values: Values }

/** A flow file that is provisioned: its name without `.json`, where it is, and its nodes; `template` before the values were filled in. */
export type Source = { name: string; path: string; nodes: FlowNode[]; template: FlowNode[] }

/** A flow file that cannot be provisioned, and why. */
export type BrokenSource = { name: string; path: string; reason: string }

/**
 * Reads the flow files of the folders. A file in a later folder takes the place of one with the same name in an earlier.
 * Names in a folder's `order.txt` come first, in that order; the others follow by name.
 */
export function readSources({ folders, values }: Origin): { sources: Source[]; broken: BrokenSource[] } {
  const paths = new Map<string, string>()
  for (const { path, only } of folders)
    for (const name of namesIn(path)) if (only?.includes(name) ?? true) paths.set(name, join(path, `${name}.json`))
  const sources: Source[] = []
  const broken: BrokenSource[] = []
  const owners = new Map<string, string>()
  for (const [name, path] of paths) {
    try {
      const template = parseFlow(readFileSync(path, 'utf8'))
      claimIds(template, name, owners)
      sources.push({ name, path, nodes: fillTexts(template, values), template })
    } catch (error) {
      broken.push({ name, path, reason: (error as Error).message })
    }
  }
  return { sources, broken }
}

/** The names of a folder's flow files, in their order. */
export function namesIn(folder: string): string[] {
  if (!existsSync(folder)) return []
  const names = readdirSync(folder)
    .filter((file) => file.endsWith('.json') && !file.startsWith('.'))
    .map((file) => file.slice(0, -'.json'.length))
    .toSorted()
  const orderFile = join(folder, ORDER_FILE)
  const order = existsSync(orderFile) ? readFileSync(orderFile, 'utf8').split(/\s+/) : []
  return [...order.filter((name) => names.includes(name)), ...names.filter((name) => !order.includes(name))]
}

function claimIds(nodes: readonly FlowNode[], name: string, owners: Map<string, string>): void {
  const ids = new Set<string>()
  for (const { id } of nodes) {
    if (ids.has(id)) throw new Error(`two nodes have the id "${id}"`)
    ids.add(id)
    const owner = owners.get(id)
    if (owner !== undefined) throw new Error(`node id "${id}" is in ${owner}.json too; give one of them another id`)
  }
  for (const id of ids) owners.set(id, name)
}
