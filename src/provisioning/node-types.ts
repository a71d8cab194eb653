import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** The node types that there will be once Node-RED has loaded its nodes. */
export type NodeTypes = { has: (type: string) => boolean }

/** Where nodes are: folders that hold `.html` and `.js` of nodes, and modules with a `node-red` section in their package.json. */
export type NodePlaces = { folders: readonly string[]; modules: readonly string[]; dataDir: string }

type Package = { name?: string; 'node-red'?: { nodes?: Record<string, string> } }
type Registry = Record<string, { nodes?: Record<string, { enabled?: boolean; types?: string[] }> }>

const BUILT_IN = ['tab', 'subflow', 'group']
// The same as in Node-RED's own loader.
const TEMPLATE = /<script (?:[^>]*)data-template-name\s*=\s*['"]([^'"]*)['"]/gi
// For the runtime a node needs no template.
const REGISTRATION = /registerType\(\s*(['"`])([^'"`]+)\1/g
const MAX_DEPTH = 6

/**
 * The types as Node-RED finds them: by the templates in the `.html` of each node, and by what its code registers. It is asked before Node-RED has loaded any, so what fails
 * while it loads is not known. A type that is not found by its template counts as known when a node's code names it, as modules do that
 * register subflows.
 */
export function findNodeTypes(places: NodePlaces): NodeTypes {
  let found: { types: ReadonlySet<string>; codes: readonly string[] } | undefined
  const disabled = disabledTypes(places.dataDir)
  return {
    has: (type) => {
      if (BUILT_IN.includes(type)) return true
      if (disabled.has(type)) return false
      found ??= search(places)
      return found.types.has(type) || found.codes.some((code) => names(code, type))
    },
  }
}

function search({ folders, modules, dataDir }: NodePlaces): { types: ReadonlySet<string>; codes: readonly string[] } {
  const types = new Set(BUILT_IN)
  const codes: string[] = []
  const files = [
    ...[...folders, join(dataDir, 'nodes')].flatMap((folder) => codeIn(folder, MAX_DEPTH)),
    ...[...modules, ...modulesIn(join(dataDir, 'node_modules'))].flatMap(nodesOfModule),
  ]
  for (const file of files) {
    const template = read(file.replace(/\.[cm]?js$/, '.html'))
    const code = read(file) ?? ''
    for (const [, , type = ''] of code.matchAll(REGISTRATION)) types.add(type)
    if (template === undefined) codes.push(code, ...jsonBeside(file))
    else for (const [, type = ''] of template.matchAll(TEMPLATE)) types.add(type)
  }
  return { types, codes }
}

function names(code: string, type: string): boolean {
  return code.includes(`"${type}"`) || code.includes(`'${type}'`)
}

function codeIn(folder: string, depth: number): string[] {
  if (depth === 0 || !existsSync(folder)) return []
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name)
    if (entry.isDirectory())
      return ['locales', 'node_modules', 'lib', 'icons', 'test', 'resources'].includes(entry.name) ? [] : codeIn(path, depth - 1)
    return /\.[cm]?js$/.test(entry.name) ? [path] : []
  })
}

function modulesIn(folder: string): string[] {
  if (!existsSync(folder)) return []
  return readdirSync(folder)
    .filter((name) => !name.startsWith('.'))
    .flatMap((name) => (name.startsWith('@') ? modulesIn(join(folder, name)) : [join(folder, name)]))
}

function nodesOfModule(folder: string): string[] {
  const nodes = (parse(read(join(folder, 'package.json'))) as Package | undefined)?.['node-red']?.nodes ?? {}
  return Object.values(nodes).map((path) => join(folder, path))
}

/** A module that registers a subflow has it in a JSON file beside its code. */
function jsonBeside(file: string): string[] {
  const folder = dirname(file)
  if (!existsSync(folder)) return []
  return readdirSync(folder)
    .filter((name) => name.endsWith('.json'))
    .map((name) => read(join(folder, name)) ?? '')
}

/** Types that somebody has disabled in the palette manager: Node-RED keeps that in its data folder. */
function disabledTypes(dataDir: string): Set<string> {
  const registry = (parse(read(join(dataDir, '.config.nodes.json'))) ?? {}) as Registry
  const sets = Object.values(registry).flatMap(({ nodes }) => Object.values(nodes ?? {}))
  return new Set(sets.filter(({ enabled }) => enabled === false).flatMap(({ types }) => types ?? []))
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}

function parse(text: string | undefined): unknown {
  try {
    return text === undefined ? undefined : (JSON.parse(text) as unknown)
  } catch {
    return undefined
  }
}
