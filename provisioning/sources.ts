import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseFlow, type FlowNode } from './flow-set.ts'

const ORDER_FILE = 'order.txt'

/** A flow file that is provisioned: its name without `.json`, where it is, and its nodes. */
export type Source = { name: string; path: string; nodes: FlowNode[] }

/** A flow file that can not be provisioned, and why. */
export type BrokenSource = { name: string; path: string; reason: string }

/**
 * Reads the flow files of the folders. A file in a later folder takes the place of one with the same name in an earlier.
 * Names in a folder's `order.txt` come first, in that order; the others follow by name.
 */
export function readSources(folders: readonly string[]): { sources: Source[]; broken: BrokenSource[] } {
  const paths = new Map<string, string>()
  for (const folder of folders) for (const name of namesIn(folder)) paths.set(name, join(folder, `${name}.json`))
  const sources: Source[] = []
  const broken: BrokenSource[] = []
  const owners = new Map<string, string>()
  for (const [name, path] of paths) {
    try {
      const nodes = parseFlow(readFileSync(path, 'utf8'))
      claimIds(nodes, name, owners)
      sources.push({ name, path, nodes })
    } catch (error) {
      broken.push({ name, path, reason: (error as Error).message })
    }
  }
  return { sources, broken }
}

function namesIn(folder: string): string[] {
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
