import { TcpError } from '../../tcp/errors.ts'
import type { WriteLimit } from '../../tcp/outbox.ts'
import type { Session } from '../../tcp/session.ts'
import type { Done } from './node-red.ts'

/** Sends the same bytes to several sessions. A slow or broken one does not hold up the others; the error says how many failed. */
export function writeToAll(sessions: readonly Session[], { bytes, limit, done }: { bytes: Buffer; limit: WriteLimit; done: Done }): void {
  let open = sessions.length
  if (open === 0) return done()
  let failed = 0
  let first: Error | undefined
  const one = (error?: Error) => {
    if (error) {
      failed += 1
      first ??= error
    }
    open -= 1
    if (open > 0) return
    done(
      first &&
        new TcpError('SESSION_CLOSED', `${failed} of ${sessions.length} clients did not get the message: ${first.message}`, {
          cause: first,
        }),
    )
  }
  for (const session of sessions) session.write(bytes, { limit, done: one })
}
