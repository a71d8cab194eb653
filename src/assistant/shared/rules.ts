import { composeBytes } from './compose.ts'
import { indexOfPattern, MAX_PATTERN_LENGTH, parseHexPattern, textOf } from './pattern.ts'
import { parseRegex, REGEX_CHARACTERS } from './regex.ts'
import type { Rule } from './spec.ts'
import { notice, type Notice } from './notice.ts'

/** A rule that can be applied. `match` gives what `$&`, `$1` … stand for in the reply, or undefined when it does not answer these bytes. */
export type CompiledRule = { rule: Rule; onConnect: boolean; match: (bytes: Uint8Array) => string[] | undefined }

export const MAX_REPLY_DELAY_MS = 600_000

/** Text is compared in the reply's encoding. With a HEX reply a regular expression sees one character for each byte, so that captures are exact. */
export function compileRule(rule: Rule, index = 0): { compiled: CompiledRule } | { error: Notice } {
  const wrong = (reason: string): { error: Notice } => ({
    error: notice('BAD_RULE', { rule: rule.name || `#${index + 1}`, reason }),
  })
  const delay = rule.delayMs ?? 0
  if (!(delay >= 0 && delay <= MAX_REPLY_DELAY_MS)) return wrong(`the delay has to be from 0 to ${MAX_REPLY_DELAY_MS} ms`)
  // Encodings are the server's business: a reply is tried as UTF-8 here, for its escapes, macros and HEX.
  const reply = composeBytes({ ...rule.reply, encoding: 'utf8' }, { captures: [] })
  if ('error' in reply) return { error: reply.error }
  const matcher = createMatcher(rule)
  return 'reason' in matcher ? wrong(matcher.reason) : { compiled: { rule, onConnect: rule.when.by === 'connect', match: matcher.match } }
}

function createMatcher({ when, reply }: Rule): { match: CompiledRule['match'] } | { reason: string } {
  if (when.by === 'connect') return { match: () => undefined }
  const { pattern } = when
  if (pattern === '') return { reason: 'there is nothing to look for' }
  if (pattern.length > MAX_PATTERN_LENGTH) return { reason: `what to look for is longer than ${MAX_PATTERN_LENGTH} characters` }
  const read = (bytes: Uint8Array) => textOf(bytes, reply.encoding)
  switch (when.by) {
    case 'contains':
      return { match: (bytes) => (read(bytes).includes(pattern) ? [pattern] : undefined) }
    case 'equals':
      // A line ending is how a message ends, not what it says.
      return { match: (bytes) => (withoutEnding(read(bytes)) === withoutEnding(pattern) ? [withoutEnding(pattern)] : undefined) }
    case 'hex':
      return createHexMatcher(pattern)
    case 'regex':
      return createRegexMatcher(pattern, reply.mode === 'hex' ? (bytes) => textOf(bytes, 'latin1') : read)
  }
}

function createHexMatcher(text: string): { match: CompiledRule['match'] } | { reason: string } {
  const pattern = parseHexPattern(text)
  if (pattern === undefined) return { reason: `"${text}" is not HEX, such as 01 03 or 01 ?? 0A` }
  return {
    match(bytes) {
      const at = indexOfPattern(bytes, pattern)
      return at === -1 ? undefined : [textOf(bytes.subarray(at, at + pattern.length), 'latin1')]
    },
  }
}

function createRegexMatcher(pattern: string, read: (bytes: Uint8Array) => string): { match: CompiledRule['match'] } | { reason: string } {
  const parsed = parseRegex(pattern)
  if ('reason' in parsed) return parsed
  return {
    match: (bytes) => parsed.regex.find(read(bytes.subarray(0, REGEX_CHARACTERS)))?.captures,
  }
}

function withoutEnding(text: string): string {
  let end = text.length
  while (end > 0 && (text[end - 1] === '\r' || text[end - 1] === '\n')) end -= 1
  return text.slice(0, end)
}
