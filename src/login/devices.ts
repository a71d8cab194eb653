import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'

const NONCE_BYTES = 16
const LIFETIME_S = 365 * 24 * 3600

/**
 * Marks of browsers and programs that have signed in before, so that wrong passwords of others do not lock them out:
 * https://owasp.org/www-community/Slow_Down_Online_Guessing_Attacks_with_Device_Cookies. A mark opens nothing: the password is still needed.
 */
export type Devices = {
  /** A new mark, for somebody who has just signed in. */
  mark: () => string
  /** The device's id, when the mark is one of ours and not too old. */
  identify: (mark: string) => string | undefined
  lifetimeSeconds: number
}

/** Nothing is kept: a mark carries its own proof. Another `key` makes all of them void. */
export function createDevices(key: string): Devices {
  const sign = (text: string) => createHmac('sha256', key).update(`device ${text}`).digest()
  return {
    mark() {
      const text = `${randomBytes(NONCE_BYTES).toString('base64url')}.${seconds()}`
      return `${text}.${sign(text).toString('base64url')}`
    },
    identify(mark) {
      const [, text = '', nonce, since, proof = ''] = /^(([\w-]{22})\.(\d{1,12}))\.([\w-]{43})$/.exec(mark) ?? []
      const [given, right] = [Buffer.from(proof, 'base64url'), sign(text)]
      if (given.length !== right.length || !timingSafeEqual(given, right)) return undefined
      return Number(since) + LIFETIME_S > seconds() ? nonce : undefined
    },
    lifetimeSeconds: LIFETIME_S,
  }
}

function seconds(): number {
  return Math.floor(Date.now() / 1000)
}
