// Why there is no reply, in words: what was wanted, and what happened.
import { TcpError, type TcpErrorCode } from '../errors.ts'
import { formatHex } from '../../text/hex.ts'
import type { Stage } from './patience.ts'
import type { ReplyEnd, ReplyReader } from './reply.ts'

// So much of a reply that is not whole is in the error's `cause`, and so much of that in its text.
const KEPT_BYTES = 4096
const SHOWN_BYTES = 16

/** What an error of a request has as its `cause` where part of a reply has come. */
export type Received = { received: Buffer }

/** The connection was silent for this long. */
export function describeSilence(
  { peer, stage, end, ms }: { peer: string; stage: Stage; end: ReplyEnd; ms: number },
  { reply, unsent }: { reply: ReplyReader; unsent: number },
): TcpError {
  if (stage === 'connecting') return new TcpError('CONNECT', `cannot connect to ${peer}: no answer within ${ms} ms`)
  if (stage === 'sending') return new TcpError('IDLE', `${peer} has taken nothing more within ${ms} ms: ${unsent} bytes still wait`)
  if (reply.size === 0) return new TcpError('IDLE', `${peer} has not answered within ${ms} ms`)
  return partOf('IDLE', `${partText(end, reply)} came from ${peer}, and nothing more within ${ms} ms`, reply)
}

/** The reply trickles in but never completes. */
export function describeUnended({ peer, end, ms }: { peer: string; end: ReplyEnd; ms: number }, reply: ReplyReader): TcpError {
  if (reply.size === 0) return new TcpError('IDLE', `${peer} has not answered within ${ms} ms`)
  return partOf('IDLE', `${partText(end, reply)} came from ${peer} within ${ms} ms, while others wait`, reply)
}

/** The connection broke, or the reply cannot be used. */
export function describeBroken(
  message: string,
  { reply, code, cause }: { reply: ReplyReader; code: TcpErrorCode; cause: Error },
): TcpError {
  return reply.size === 0 ? new TcpError(code, message, { cause }) : partOf(code, message, reply)
}

function partOf(code: TcpErrorCode, message: string, reply: ReplyReader): TcpError {
  const received = reply.peek(KEPT_BYTES)
  const more = reply.size > SHOWN_BYTES ? ' …' : ''
  const cause: Received = { received }
  return new TcpError(code, `${message}: ${formatHex(received.subarray(0, SHOWN_BYTES))}${more}`, { cause })
}

function partText(end: ReplyEnd, { size }: ReplyReader): string {
  if (end.kind === 'count') return `${size} of ${end.bytes} bytes`
  const bytes = size === 1 ? '1 byte' : `${size} bytes`
  return end.kind === 'bytes' ? `${bytes} without ${formatHex(end.bytes)} at the end` : bytes
}
