import { indexOfPattern, parseHexPattern, textOf } from './pattern.ts'
import type { Direction } from './protocol.ts'
import { parseRegex, REGEX_CHARACTERS } from './regex.ts'

/** What is looked for in a log. Empty text: every entry that direction and peer allow. */
export type Query = {
  by: 'text' | 'regex' | 'hex'
  text: string
  dir?: Direction
  peer?: string
  caseSensitive?: boolean
  encoding?: string
}

/** An entry as it is searched. `text`: what is shown for it, where that is not its bytes in the query's encoding. */
export type Searched = { dir: Direction; peer: string; data?: Uint8Array; text?: string }

export type Search = {
  matches: (entry: Searched) => boolean
  /** Where in a shown text the hits are, for marking them; none for HEX. */
  ranges: (text: string) => [from: number, to: number][]
}

const MAX_RANGES = 1000

export function createSearch(query: Query): { search: Search } | { reason: string } {
  const finder = createFinder(query)
  if ('reason' in finder) return finder
  const allowed = ({ dir, peer }: Searched) =>
    (query.dir === undefined || dir === query.dir) && (query.peer === undefined || query.peer === '' || peer === query.peer)
  return { search: { matches: (entry) => allowed(entry) && finder.finds(entry), ranges: finder.ranges } }
}

type Finder = { finds: (entry: Searched) => boolean; ranges: Search['ranges'] }

function createFinder({ by, text, caseSensitive = false, encoding }: Query): Finder | { reason: string } {
  const shown = (entry: Searched) => entry.text ?? (entry.data === undefined ? '' : textOf(entry.data, encoding))
  if (text === '') return { finds: () => true, ranges: () => [] }
  if (by === 'hex') {
    const pattern = parseHexPattern(text)
    if (pattern === undefined) return { reason: 'HEX is pairs of digits, such as 01 03, with ?? for any byte' }
    return { finds: ({ data }) => data !== undefined && indexOfPattern(data, pattern) !== -1, ranges: () => [] }
  }
  if (by === 'regex') {
    const parsed = parseRegex(text, caseSensitive ? 's' : 'si')
    if ('reason' in parsed) return parsed
    const { regex } = parsed
    return { finds: (entry) => regex.test(shown(entry)), ranges: (value) => regex.ranges(value, MAX_RANGES) }
  }
  // Plain text is looked for as a pattern too: case folding that keeps positions is what RegExp does. There is nothing in it to go back to.
  const literal = new RegExp(text.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&'), caseSensitive ? 'gu' : 'giu')
  return {
    finds: (entry) => shown(entry).slice(0, REGEX_CHARACTERS).search(literal) !== -1,
    ranges(value) {
      const ranges: [number, number][] = []
      for (const match of value.slice(0, REGEX_CHARACTERS).matchAll(literal)) {
        ranges.push([match.index, match.index + match[0].length])
        if (ranges.length === MAX_RANGES) break
      }
      return ranges
    },
  }
}
