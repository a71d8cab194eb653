import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible'
import { verifyPassword, type PasswordHash } from './passwords.ts'

const WINDOW_S = 60
const FAILURES_PER_ADDRESS = 10
const FAILURES_IN_ALL = 60

export type Account = { user: string; password: PasswordHash }
export type AttemptResult = { kind: 'right' } | { kind: 'wrong' } | { kind: 'slow'; seconds: number }

/** Checks user and password; after ten failures in a minute from one address, or sixty in all, further tries have to wait. */
export function createAttempts(account: Account): (attempt: { user: string; password: string; address: string }) => Promise<AttemptResult> {
  const perAddress = new RateLimiterMemory({ points: FAILURES_PER_ADDRESS, duration: WINDOW_S })
  const inAll = new RateLimiterMemory({ points: FAILURES_IN_ALL, duration: WINDOW_S })
  return async ({ user, password, address }) => {
    try {
      // Counted before the check, so that a burst of tries at once is slowed down too.
      await perAddress.consume(address)
      await inAll.consume('')
    } catch (refusal) {
      if (!(refusal instanceof RateLimiterRes)) throw refusal
      return { kind: 'slow', seconds: Math.ceil(refusal.msBeforeNext / 1000) }
    }
    // Always both, so that the time taken does not tell whether the user exists.
    const passwordIsRight = await verifyPassword(password, account.password)
    if (!passwordIsRight || user !== account.user) return { kind: 'wrong' }
    await perAddress.delete(address)
    await inAll.reward('')
    return { kind: 'right' }
  }
}
