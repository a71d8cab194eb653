import type { FlowNode } from './flow-set.ts'

/** What a flow file may name in its texts: `${NAME}` becomes the value. */
export type Values = Readonly<Record<string, string>>

// What people read. In all else Node-RED puts in the values itself, where `${NAME}` is the whole of it.
const TEXTS = ['name', 'label', 'info'] as const
const VARIABLE = /\$\{(\w+)\}/g

/** The nodes with the values in their texts. Names without a value stay as they are. */
export function fillTexts(nodes: readonly FlowNode[], values: Values): FlowNode[] {
  return nodes.map((node) => withTexts(node, (text) => text.replace(VARIABLE, (whole, name: string) => values[name] ?? whole)))
}

/** The other way round: texts that are those of the template but for their numbers are the template's again. */
export function templateTexts(nodes: readonly FlowNode[], template: readonly FlowNode[]): FlowNode[] {
  const originals = new Map(template.map((node) => [node.id, node]))
  return nodes.map((node) => {
    const original = originals.get(node.id)
    return original ? withTexts(node, (text, field) => originalOf(text, original[field])) : node
  })
}

function originalOf(text: string, original: unknown): string {
  if (typeof original !== 'string' || !original.includes('${')) return text
  const pattern = original
    .split(VARIABLE)
    // Odd entries are names.
    .map((part, index) => (index % 2 === 1 ? '(?:\\d+|\\$\\{\\w+\\})' : part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')))
    .join('')
  return new RegExp(`^${pattern}$`).test(text) ? original : text
}

function withTexts(node: FlowNode, change: (text: string, field: (typeof TEXTS)[number]) => string): FlowNode {
  const changed = TEXTS.flatMap((field) => {
    const text = node[field]
    if (typeof text !== 'string') return []
    const next = change(text, field)
    return next === text ? [] : [[field, next]]
  })
  return changed.length === 0 ? node : { ...node, ...(Object.fromEntries(changed) as Record<string, string>) }
}
