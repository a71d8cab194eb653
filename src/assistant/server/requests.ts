// From what comes over a socket to a request.
import { z } from 'zod'
import { AssistantError } from '../engine/errors.ts'
import { notice } from '../shared/notice.ts'
import { REQUESTS, type Asked, type Verb } from '../shared/requests.ts'

const SCHEMAS: { [V in Verb]: z.ZodType<Asked<V>> } = REQUESTS
const isVerb = (name: unknown): name is Verb => typeof name === 'string' && Object.hasOwn(REQUESTS, name)

/** A message whose content is yet to be read. `id` is 0 and `verb` undefined where there is none. */
export type Envelope = { id: number; verb: Verb | undefined; content: Record<string, unknown> }

/** @throws AssistantError when it is no JSON */
export function openEnvelope(text: string): Envelope {
  const { id, do: verb, ...content } = objectOf(text)
  return { id: typeof id === 'number' && Number.isInteger(id) && id >= 0 ? id : 0, verb: isVerb(verb) ? verb : undefined, content }
}

/**
 * The content of a request.
 * @throws AssistantError that says what is wrong and where
 */
export function readContent<V extends Verb>(verb: V, content: unknown): Asked<V> {
  const parsed = SCHEMAS[verb].safeParse(content)
  if (parsed.success) return parsed.data
  const issue = closest(parsed.error.issues)
  throw new AssistantError(badRequest(`${issue?.path.map(String).join('.') || 'request'}: ${issue?.message ?? 'not understood'}`))
}

export function badRequest(reason: string) {
  return notice('BAD_REQUEST', { reason })
}

/** Of the forms that a request may have, the one that it is nearest to says what is wrong. */
function closest([issue]: readonly z.core.$ZodIssue[]): z.core.$ZodIssue | undefined {
  if (issue?.code !== 'invalid_union') return issue
  const [nearest] = issue.errors.toSorted((a, b) => a.length - b.length)
  return nearest?.[0] ?? issue
}

function objectOf(text: string): Record<string, unknown> {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw new AssistantError(badRequest('no JSON'))
  }
  return typeof value === 'object' && value !== null ? { ...value } : {}
}
