import { createHash, randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { hashPassword, type PasswordHash } from '../login/passwords.ts'
import { writeFileAtomic } from '../storage/atomic-file.ts'
import type { Environment } from './environment.ts'

// No 0/O, 1/l/I: the generated password is read from a screen and typed.
const PASSWORD_ALPHABET = 'abcdefghijkmnpqrstuvwxyz23456789'
const PASSWORD_LENGTH = 20
const SECRET_BYTES = 32
const PRIVATE = 0o600

export type Secrets = {
  credentialSecret: string
  adminPassword: PasswordHash
  /** Only at the very start that made it. */
  generatedPassword?: string
}

/** The secrets of this installation: from the environment, else from the data folder, else generated there (mode 0600). */
export function openSecrets(environment: Environment): Secrets {
  const folder = join(environment.DATA_DIR, '.secrets')
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const credentialSecret =
    environment.NODE_RED_CREDENTIAL_SECRET ?? kept(join(folder, 'credential-secret'), () => randomBytes(SECRET_BYTES).toString('base64url'))
  if (environment.NODE_RED_ADMIN_PASSWORD !== undefined) {
    // A salt of this installation: the same password gives the same hash at the next start, so that sessions live on.
    const salt = createHash('sha256').update(`password salt ${credentialSecret}`).digest()
    return { credentialSecret, adminPassword: hashPassword(environment.NODE_RED_ADMIN_PASSWORD, salt) }
  }
  let generatedPassword: string | undefined
  const adminPassword = kept(join(folder, 'admin-password-hash'), () => hashPassword((generatedPassword = generatePassword())))
  return {
    credentialSecret,
    adminPassword: adminPassword as PasswordHash,
    ...(generatedPassword === undefined ? {} : { generatedPassword }),
  }
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
