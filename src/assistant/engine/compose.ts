import { encodeText, isKnownEncoding } from '../../tcp/encoding.ts'
import { composeBytes } from '../shared/compose.ts'
import type { MacroState } from '../shared/macros.ts'
import type { Draft } from '../shared/spec.ts'
import { notice } from '../shared/notice.ts'
import { AssistantError } from './errors.ts'

/**
 * What is sent for a draft, in any encoding.
 * @throws AssistantError naming the place of a mistake
 */
export function composeDraft(draft: Draft, macros: MacroState, captures?: readonly string[]): Uint8Array {
  const encoding = draft.encoding || 'utf8'
  if (!isKnownEncoding(encoding)) throw new AssistantError(notice('BAD_ENCODING', { encoding }))
  const composed = composeBytes(draft, { macros, encode: (text) => encodeText(text, encoding), ...(captures ? { captures } : {}) })
  if ('error' in composed) throw new AssistantError(composed.error)
  return composed.bytes
}
