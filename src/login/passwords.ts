import { randomBytes, scrypt, scryptSync, timingSafeEqual } from 'node:crypto'
import { promisify } from 'node:util'

const scryptAsync = promisify<string, Buffer, number, { N: number; r: number; p: number; maxmem: number }, Buffer>(scrypt)

const COST = { N: 2 ** 15, r: 8, p: 1, maxmem: 64 * 1024 * 1024 }
const KEY_BYTES = 32
const SALT_BYTES = 16

/** `scrypt$N$r$p$salt$key`, salt and key in base64url (RFC 7914). */
export type PasswordHash = `scrypt$${string}`

/** Hashes a password, with a new salt unless one is given. */
export function hashPassword(password: string, salt = randomBytes(SALT_BYTES)): PasswordHash {
  const key = scryptSync(password, salt, KEY_BYTES, COST)
  return `scrypt$${COST.N}$${COST.r}$${COST.p}$${salt.toString('base64url')}$${key.toString('base64url')}`
}

/** Whether a password matches a hash; works off the event loop and in the same time for right and wrong. */
export async function verifyPassword(password: string, hash: PasswordHash): Promise<boolean> {
  const [, n, r, p, salt = '', key = ''] = hash.split('$')
  const expected = Buffer.from(key, 'base64url')
  const cost = { N: Number(n), r: Number(r), p: Number(p), maxmem: COST.maxmem }
  const actual = await scryptAsync(password, Buffer.from(salt, 'base64url'), KEY_BYTES, cost)
  return expected.length === actual.length && timingSafeEqual(actual, expected)
}
