import type { ReplyEnd } from './reply.ts'

/** How long a peer may be silent. */
export type Patience = {
  /** As the user says, 0 for ever; undefined: as long as nobody is kept from his turn. */
  timeoutMs: number | undefined
  /** Where the user says nothing: while others wait, and while the request is not out yet. */
  othersWaitMs: number
}

/** How far a request has come. */
export type Stage = 'connecting' | 'sending' | 'asked' | 'answering'

// Silence is not all that keeps others waiting: a reply may trickle in without an end.
const WHOLE_REPLY_TIMES = 10

/** Milliseconds in which something has to come or go; 0: no end to it. */
export function silenceLimit(stage: Stage, end: ReplyEnd, { patience, othersWait }: { patience: Patience; othersWait: boolean }): number {
  // By time alone the end of a reply is known with its first byte.
  if (stage === 'answering' && end.kind === 'time') return 0
  const { timeoutMs, othersWaitMs } = patience
  if (timeoutMs !== undefined) return timeoutMs
  if (stage === 'connecting') return othersWaitMs
  // What comes over a connection that stays is not asked for, and requests do not wait for it.
  if (end.kind === 'stay') return 0
  return stage === 'sending' || othersWait ? othersWaitMs : 0
}

/** Milliseconds in which a reply has to be whole once others wait, however much of it comes; 0: no end to it. */
export function wholeReplyLimit({ timeoutMs, othersWaitMs }: Patience): number {
  return timeoutMs === 0 ? 0 : WHOLE_REPLY_TIMES * Math.max(othersWaitMs, timeoutMs ?? 0)
}
