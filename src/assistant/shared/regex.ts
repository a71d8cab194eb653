// Regular expressions by an engine that never goes back: RE2's, whose time is linear in the text. What devices send cannot make it slow.
import { RE2JS, RE2JSSyntaxException } from 're2js'

/** No pattern sees more of a text than this. */
export const REGEX_CHARACTERS = 65_536
const MAX_REGEX_LENGTH = 1024
// How large a pattern becomes once its repetitions are written out.
const MAX_INSTRUCTIONS = 1000
// Instructions times characters: what is looked through at once. To tell places takes longer than to tell whether there is a match.
const MAX_STEPS_TO_TEST = 8_000_000
const MAX_STEPS_TO_FIND = 1_500_000
const MAX_MS_FOR_ALL = 50

const FLAGS: Record<string, number> = { i: RE2JS.CASE_INSENSITIVE, m: RE2JS.MULTILINE, s: RE2JS.DOTALL }

export type Regex = {
  test: (text: string) => boolean
  /** The first match: where it ends, and its captures, itself the first. */
  find: (text: string) => { end: number; captures: string[] } | undefined
  /** Where matches stand, as many as are found in a moment. */
  ranges: (text: string, most: number) => [from: number, to: number][]
}

/** A regular expression from `pattern`, or from `/pattern/flags`. A dot is any character, line endings too, unless flags say otherwise. */
export function parseRegex(text: string, defaultFlags = 's'): { regex: Regex } | { reason: string } {
  const [, source = text, given = defaultFlags] = /^\/(.+)\/([imsu]*)$/s.exec(text) ?? []
  if (source.length > MAX_REGEX_LENGTH) return { reason: `it is longer than ${MAX_REGEX_LENGTH} characters` }
  const flags = Array.from(given).reduce((all, flag) => all | (FLAGS[flag] ?? 0), 0)
  let compiled: RE2JS
  try {
    compiled = RE2JS.compile(RE2JS.translateRegExp(source), flags)
  } catch (error) {
    if (!(error instanceof RE2JSSyntaxException)) throw error
    const hint = /\(\?<?[=!]|\\[1-9k]/.test(source) ? ': there is no looking ahead or behind, and no \\1' : ''
    return { reason: `Invalid regular expression: ${error.getDescription()}${hint}` }
  }
  const size = compiled.programSize()
  if (size > MAX_INSTRUCTIONS) return { reason: `it is too large with its repetitions written out: ${size} of ${MAX_INSTRUCTIONS} steps` }
  return { regex: regexOf(compiled, size) }
}

function regexOf(compiled: RE2JS, size: number): Regex {
  const cut = (text: string, steps: number) => text.slice(0, Math.min(REGEX_CHARACTERS, Math.floor(steps / size)))
  return {
    test: (text) => compiled.test(cut(text, MAX_STEPS_TO_TEST)),
    find(text) {
      const seen = cut(text, MAX_STEPS_TO_FIND)
      if (!compiled.test(seen)) return undefined
      const matcher = compiled.matcher(seen)
      if (!matcher.find()) return undefined
      const captures = Array.from({ length: matcher.groupCount() + 1 }, (_, group) => matcher.group(group) ?? '')
      return { end: matcher.end(), captures }
    },
    ranges(text, most) {
      const seen = cut(text, MAX_STEPS_TO_FIND)
      const ranges: [number, number][] = []
      if (!compiled.test(seen)) return ranges
      const matcher = compiled.matcher(seen)
      const started = performance.now()
      while (ranges.length < most && performance.now() - started < MAX_MS_FOR_ALL && matcher.find()) {
        if (matcher.end() > matcher.start()) ranges.push([matcher.start(), matcher.end()])
      }
      return ranges
    },
  }
}
