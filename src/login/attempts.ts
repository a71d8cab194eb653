import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible'
import { verifyPassword, type PasswordHash } from './passwords.ts'

const WINDOW_S = 60
const FAILURES_PER_ADDRESS = 10
const FAILURES_PER_DEVICE = 10
const FAILURES_IN_ALL = 60

export type Account = { user: string; password: PasswordHash }
export type Attempt = {
  user: string
  password: string
  address: string
  /** A mark that only a device that has signed in before can have. */
  device?: string | undefined
}
/** `again`: slow as the try before it. */
export type AttemptResult = { kind: 'right' } | { kind: 'wrong' } | { kind: 'slow'; seconds: number; again: boolean }

/**
 * Checks user and password. After ten failures in a minute from one address, or sixty of all strangers, further tries of strangers have to
 * wait. Who has signed in before has ten failures of his own, whatever others do: many share one address behind Docker or a proxy.
 */
export function createAttempts(account: Account): (attempt: Attempt) => Promise<AttemptResult> {
  const perDevice = new RateLimiterMemory({ points: FAILURES_PER_DEVICE, duration: WINDOW_S })
  const perAddress = new RateLimiterMemory({ points: FAILURES_PER_ADDRESS, duration: WINDOW_S })
  const inAll = new RateLimiterMemory({ points: FAILURES_IN_ALL, duration: WINDOW_S })
  let checked: Promise<unknown> = Promise.resolve()
  return async ({ user, password, address, device }) => {
    const counters: [RateLimiterMemory, string][] =
      device === undefined
        ? [
            [perAddress, address],
            [inAll, ''],
          ]
        : [[perDevice, device]]
    // Counted before the check, so that a burst of tries at once is slowed down too.
    for (const [counter, key] of counters) {
      const refusal = await counter.consume(key).then(() => undefined, asRefusal)
      if (refusal === undefined) continue
      return { kind: 'slow', seconds: Math.ceil(refusal.msBeforeNext / 1000), again: refusal.consumedPoints > counter.points + 1 }
    }
    // One at a time: each keeps a processor busy, and strangers who try many at once shall not have all of them.
    const check = checked.then(() => verifyPassword(password, account.password))
    checked = check.catch(() => undefined)
    // Always both, so that the time taken does not tell whether the user exists.
    const passwordIsRight = await check
    if (!passwordIsRight || user !== account.user) return { kind: 'wrong' }
    // This one back, and no more: the failures of somebody else at the same address still count.
    for (const [counter, key] of counters) await counter.reward(key)
    return { kind: 'right' }
  }
}

function asRefusal(reason: unknown): RateLimiterRes {
  if (reason instanceof RateLimiterRes) return reason
  throw reason
}
