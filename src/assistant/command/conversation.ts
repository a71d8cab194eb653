import type { Endpoint } from '../engine/endpoint.ts'
import type { Draft } from '../shared/spec.ts'
import type { Talk } from './arguments.ts'
import type { Ending } from './ending.ts'

/** What input may do while a connection is open: what comes from a pipe, and what somebody types. */
export type Conversation = {
  options: Talk
  endpoint: Endpoint
  ending: Ending
  /** Sends a text as the options say. */
  send: (text: string) => void
  /** Sends bytes as they are; resolves when they may be followed by more. */
  sendBytes: (bytes: Uint8Array) => Promise<void>
  sendDraft: (draft: Draft) => void
  /**
   * From now on sends to this peer alone, to all for ''.
   * @throws AssistantError when there is no such peer
   */
  choose: (peer: string) => void
}
