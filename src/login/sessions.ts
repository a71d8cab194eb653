import { createHmac, randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { writeFileAtomicLater } from '../storage/atomic-file.ts'
import { createHolds } from './holds.ts'

const TOKEN_BYTES = 32
const LIFETIME_MS = 7 * 24 * 3600 * 1000
// The oldest session ends when one more begins.
const MAX_SESSIONS = 1000

/** Login sessions: random tokens, of which only a keyed hash is kept. They survive a restart; a changed `key` ends them all. */
export type Sessions = {
  /** Begins a session and returns its token. */
  begin: () => string
  isValid: (token: string) => boolean
  /** Ends a session at once; resolves when a restart knows it, too, or when that could not be written. */
  end: (token: string) => Promise<void>
  /** Calls `end` when the session of this token ends or expires; the returned function takes that back. */
  hold: (token: string, end: () => void) => () => void
  lifetimeSeconds: number
}

/** Opens the sessions kept in `file`. `warn`: hears why they could not be written; they go on all the same. */
export function openSessions(file: string, key: string, warn: (message: string) => void): Sessions {
  const expiries = readExpiries(file)
  const holds = createHolds()
  const digest = (token: string) => createHmac('sha256', key).update(token).digest('base64url')
  const write = () =>
    writeFileAtomicLater(file, JSON.stringify([...expiries]), { mode: 0o600 }).catch((error: Error) =>
      warn(`sessions could not be written to ${file}: ${error.message}; they end with this process`),
    )
  // A disk may be slow: one write at a time, and one that waits for it and will have the newest state.
  let writing = Promise.resolve()
  let waiting: Promise<void> | undefined
  const save = () =>
    (waiting ??= writing.then(() => {
      waiting = undefined
      return (writing = write())
    }))
  const drop = (id: string) => {
    if (!expiries.delete(id)) return false
    holds.end(id)
    return true
  }
  return {
    begin() {
      const token = randomBytes(TOKEN_BYTES).toString('base64url')
      const now = Date.now()
      for (const [id, expiry] of expiries) if (expiry <= now || expiries.size >= MAX_SESSIONS) drop(id)
      expiries.set(digest(token), now + LIFETIME_MS)
      void save()
      return token
    },
    isValid: (token) => (expiries.get(digest(token)) ?? 0) > Date.now(),
    async end(token) {
      if (drop(digest(token))) await save()
    },
    hold(token, end) {
      const id = digest(token)
      return holds.add(id, expiries.get(id) ?? 0, end)
    },
    lifetimeSeconds: LIFETIME_MS / 1000,
  }
}

function readExpiries(file: string): Map<string, number> {
  try {
    return new Map(JSON.parse(readFileSync(file, 'utf8')) as [string, number][])
  } catch {
    return new Map()
  }
}
