import type { ReplyEnd } from './reply.ts'

/** How long a peer may be silent. */
export type Patience = {
  /** As set, in milliseconds; 0 means forever. Undefined: as long as no other request waits. */
  timeoutMs: number | undefined
  /** The default, while others wait and while the request is not sent yet. */
  othersWaitMs: number
}

/** The progress of a request. */
export type Stage = 'connecting' | 'sending' | 'asked' | 'answering'

// Others also wait behind a reply that trickles in without end.
const WHOLE_REPLY_TIMES = 10

/** Milliseconds of silence that are allowed; 0: no limit. */
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

/** Milliseconds in which a reply has to be complete once others wait; 0: no limit. */
export function wholeReplyLimit({ timeoutMs, othersWaitMs }: Patience): number {
  return timeoutMs === 0 ? 0 : WHOLE_REPLY_TIMES * Math.max(othersWaitMs, timeoutMs ?? 0)
}
