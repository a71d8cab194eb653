import { createDecipheriv, createHash } from 'node:crypto'
import { existsSync, readFileSync, renameSync } from 'node:fs'
import { join } from 'node:path'

const IV_HEX_LENGTH = 32

/** Makes sure that the stored credentials of the flows open with this secret, before Node-RED would throw them away.
 * @returns where they were moved to, when `reset` asks for a new start and they do not open
 * @throws Error with both ways out; nothing is touched
 */
export function assertCredentialsOpen(dataDir: string, secret: string, { reset }: { reset: boolean }): string | undefined {
  const file = join(dataDir, 'flows_cred.json')
  if (!existsSync(file) || opens(readFileSync(file, 'utf8'), secret)) return undefined
  if (reset) {
    const aside = `${file}.${new Date().toISOString().replaceAll(':', '-')}`
    renameSync(file, aside)
    return aside
  }
  throw new Error(
    [
      `${file} does not open with this credential secret: it was written with another one. Nothing was changed.`,
      'Either set NODE_RED_CREDENTIAL_SECRET (or NODE_RED_CREDENTIAL_SECRET_FILE) back to the former secret;',
      `where none was set before, it is in ${join(dataDir, '.secrets', 'credential-secret')}, so leave the variable out.`,
      'Or give the credentials up: start once with NODE_RED_CREDENTIAL_RESET=true. The file is moved aside, and the passwords in your nodes have to be typed again.',
    ].join('\n  '),
  )
}

/** Node-RED's form: `{"$": iv in hex + AES-256-CTR of JSON in base64}`, the key being SHA-256 of the secret; `{}` or plain when not encrypted. */
function opens(text: string, secret: string): boolean {
  try {
    const stored = JSON.parse(text) as { $?: string }
    if (typeof stored.$ !== 'string') return true
    const iv = Buffer.from(stored.$.slice(0, IV_HEX_LENGTH), 'hex')
    const key = createHash('sha256').update(secret).digest()
    const decipher = createDecipheriv('aes-256-ctr', key, iv)
    JSON.parse(decipher.update(stored.$.slice(IV_HEX_LENGTH), 'base64', 'utf8') + decipher.final('utf8'))
    return true
  } catch {
    return false
  }
}
