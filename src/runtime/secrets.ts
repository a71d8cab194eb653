import { createHash, randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { hashPassword, type PasswordHash } from '../login/passwords.ts'
import { writeFileAtomic } from '../storage/atomic-file.ts'
import type { Environment, GivenSecrets } from './environment.ts'

// No 0/O, 1/l/I: the generated password is read from a screen and typed.
const PASSWORD_ALPHABET = 'abcdefghijkmnpqrstuvwxyz23456789'
const PASSWORD_LENGTH = 20
const SHORTEST_GOOD_PASSWORD = 8
const SECRET_BYTES = 32
const PRIVATE = 0o600

type OwnData = Pick<Environment, 'DATA_DIR' | 'NODE_RED_ADMIN_USER'>

export type Secrets = {
  credentialSecret: string
  adminPassword: PasswordHash
  /** Only at the start that generated it. */
  generatedPassword?: string
  /** What makes the given password easy to guess. */
  weakness?: string
}

/** The secrets of this installation: from the environment, else from the data folder, else generated there (mode 0600). */
export function openSecrets(given: GivenSecrets, { DATA_DIR, NODE_RED_ADMIN_USER }: OwnData): Secrets {
  const folder = join(DATA_DIR, '.secrets')
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const credentialSecret =
    given.NODE_RED_CREDENTIAL_SECRET ?? kept(join(folder, 'credential-secret'), () => randomBytes(SECRET_BYTES).toString('base64url'))
  if (given.NODE_RED_ADMIN_PASSWORD !== undefined) {
    // A salt of this installation: the same password gives the same hash at the next start, so that sessions live on.
    const salt = createHash('sha256').update(`password salt ${credentialSecret}`).digest()
    const weakness = weaknessOf(given.NODE_RED_ADMIN_PASSWORD, NODE_RED_ADMIN_USER)
    const adminPassword = hashPassword(given.NODE_RED_ADMIN_PASSWORD, salt)
    return { credentialSecret, adminPassword, ...(weakness === undefined ? {} : { weakness }) }
  }
  let generatedPassword: string | undefined
  const adminPassword = kept(join(folder, 'admin-password-hash'), () => hashPassword((generatedPassword = generatePassword())))
  return {
    credentialSecret,
    adminPassword: adminPassword as PasswordHash,
    ...(generatedPassword === undefined ? {} : { generatedPassword }),
  }
}

function weaknessOf(password: string, user: string): string | undefined {
  const { length } = [...password]
  if (length < SHORTEST_GOOD_PASSWORD) return `has ${length} character${length === 1 ? '' : 's'}`
  return password === user ? 'is the user name' : undefined
}

function kept(path: string, generate: () => string): string {
  if (existsSync(path)) {
    const value = readFileSync(path, 'utf8').trim()
    if (value !== '') return value
  }
  const value = generate()
  writeFileAtomic(path, `${value}\n`, { mode: PRIVATE })
  return value
}

function generatePassword(): string {
  const characters = Array.from(randomBytes(PASSWORD_LENGTH), (byte) => PASSWORD_ALPHABET[byte % PASSWORD_ALPHABET.length])
  return characters.join('')
}
