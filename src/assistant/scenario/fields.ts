// Reading of a YAML document field by field, with the line of every mistake.
import { isMap, isScalar, isSeq, type LineCounter, type Node, type YAMLMap } from 'yaml'
import type { Mistake } from './model.ts'

const DURATION = /^(\d+(?:\.\d+)?)\s*(ms|s|m)?$/
const UNIT_MS = { ms: 1, s: 1000, m: 60_000 }
const MAX_MS = 3_600_000
// More help nobody.
const MAX_MISTAKES = 100
const MAX_TOLD_LENGTH = 300

/** There are so many mistakes that reading on has no use. */
export class TooManyMistakes extends Error {}

export class Fields {
  readonly mistakes: Mistake[] = []
  private readonly lines: LineCounter
  private readonly variables: Readonly<Record<string, string | undefined>>

  constructor(lines: LineCounter, variables: Readonly<Record<string, string | undefined>>) {
    this.lines = lines
    this.variables = variables
  }

  lineOf(node: Node | null | undefined): number {
    const offset = node?.range?.[0]
    return offset === undefined ? 1 : this.lines.linePos(offset).line
  }

  wrong(node: Node | null | undefined, key: string, text: string): undefined {
    const cut = (words: string) => (words.length > MAX_TOLD_LENGTH ? `${words.slice(0, MAX_TOLD_LENGTH)} …` : words)
    this.mistakes.push({ line: this.lineOf(node), key: cut(key), text: cut(text) })
    if (this.mistakes.length >= MAX_MISTAKES) throw new TooManyMistakes()
    return undefined
  }

  /** A mapping with no keys but these. */
  map(node: Node | null | undefined, key: string, allowed: readonly string[]): YAMLMap<Node, Node | null> | undefined {
    if (!isMap(node)) return this.wrong(node, key, `a mapping is needed, with ${allowed.join(', ')}`)
    const names = new Set<string>()
    for (const pair of node.items as { key: Node }[]) {
      const name = this.plain(pair.key)
      if (name !== undefined && names.has(name)) this.wrong(pair.key, name, 'it is there twice')
      if (name !== undefined) names.add(name)
      if (name === undefined || !allowed.includes(name))
        this.wrong(pair.key, name ?? key, `not known here; there are: ${allowed.join(', ')}`)
    }
    return node as YAMLMap<Node, Node | null>
  }

  sequence(node: Node | null | undefined, key: string): Node[] | undefined {
    if (isSeq(node)) return node.items as Node[]
    return this.wrong(node, key, 'a list is needed, each entry behind a dash')
  }

  get(map: YAMLMap<Node, Node | null>, name: string): Node | undefined {
    return map.get(name, true) ?? undefined
  }

  /** Text of a scalar as it was written: 0103 stays 0103. */
  plain(node: Node | null | undefined): string | undefined {
    if (!isScalar(node) || node.value === null) return undefined
    return typeof node.value === 'string' ? node.value : node.source
  }

  text(node: Node | null | undefined, key: string, what = 'text is needed'): string | undefined {
    return this.plain(node) ?? this.wrong(node, key, what)
  }

  /** Text in which `${NAME}` and `${NAME:-default}` stand for variables. */
  filled(node: Node | null | undefined, key: string, what: string): string | undefined {
    const text = this.text(node, key, what)
    return text?.replace(/\$\{(\w+)(?::-([^}$]{0,1000}))?\}/g, (_, name: string, otherwise: string | undefined) => {
      const value = this.variables[name] || otherwise
      if (value === undefined) this.wrong(node, key, `the variable ${name} has no value: set it, or write \${${name}:-default}`)
      return value ?? ''
    })
  }

  flag(map: YAMLMap<Node, Node | null>, name: string): boolean {
    const node = this.get(map, name)
    if (node === undefined) return false
    if (isScalar(node) && typeof node.value === 'boolean') return node.value
    this.wrong(node, name, 'allowed are true and false')
    return false
  }

  choice<T extends string>(map: YAMLMap<Node, Node | null>, name: string, allowed: readonly T[]): T | undefined {
    const node = this.get(map, name)
    if (node === undefined) return undefined
    const text = this.plain(node)
    return allowed.find((value) => value === text) ?? this.wrong(node, name, `allowed are ${allowed.join(', ')}`)
  }

  whole(node: Node | null | undefined, key: string, [from, to]: [number, number]): number | undefined {
    const text = this.plain(node) ?? ''
    const number = /^-?\d{1,12}$/.test(text) ? Number(text) : NaN
    return number >= from && number <= to ? number : this.wrong(node, key, `allowed is a whole number from ${from} to ${to}`)
  }

  /** `500ms`, `3s`, `2m`; a number alone is seconds. */
  duration(node: Node | null | undefined, key: string): number | undefined {
    const [, number, unit = 's'] = DURATION.exec(this.plain(node) ?? '') ?? []
    const ms = Number(number) * UNIT_MS[unit as keyof typeof UNIT_MS]
    return ms <= MAX_MS ? ms : this.wrong(node, key, `allowed is a time up to ${MAX_MS / 60_000}m, such as 500ms, 3s or 2m`)
  }
}
