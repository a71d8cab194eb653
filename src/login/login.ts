import { createHash } from 'node:crypto'
import { join } from 'node:path'
import type { Server } from 'node:http'
import { createAttempts } from './attempts.ts'
import { createClientReader } from './client.ts'
import { createDevices } from './devices.ts'
import { createGate, type Connections } from './gate.ts'
import { guardServer } from './guard.ts'
import { createOpenings, type OpeningOptions, type Surroundings } from './openings.ts'
import type { PasswordHash } from './passwords.ts'
import { openSessions } from './sessions.ts'
import { markUserEndpoint } from './user-endpoints.ts'

export type LoginOptions = OpeningOptions & {
  user: string
  password: PasswordHash
  dataDir: string
  secureCookie: boolean
  /** Addresses and networks of reverse proxies whose X-Forwarded-… headers are believed. */
  trustedProxies?: string | undefined
}

type User = { username: string; permissions: string }
type IoSocket = { handshake: { headers: { cookie?: string } } }

export type Login = ReturnType<typeof createLogin>

/** One login for everything served on the editor's port. */
export function createLogin(options: LoginOptions) {
  const key = `${options.user}\n${options.password}`
  // Nobody signs in before the gate is there.
  let warn: Surroundings['warn'] = () => {}
  const sessions = openSessions(join(options.dataDir, '.secrets', 'sessions.json'), key, (message) => warn(message))
  const devices = createDevices(key)
  const attempt = createAttempts({ user: options.user, password: options.password })
  // Browsers keep cookies by host, whatever the port: two installations on one host must not end each other's sessions.
  const cookieName = `node-red-tcp-${createHash('sha256').update(options.password).digest('hex').slice(0, 8)}`
  const user: User = { username: options.user, permissions: '*' }

  function userOf(cookieOrToken: string): User | null {
    const token = new RegExp(`(?:^|;\\s*)(?:${cookieName}=)?([\\w-]+)$`).exec(cookieOrToken)?.[1] ?? ''
    return sessions.isValid(token) ? user : null
  }

  /** Puts the gate in front of the server. */
  function guard(server: Server, connections: Connections, surroundings: Surroundings): void {
    warn = surroundings.warn
    const gate = createGate({
      sessions,
      devices,
      attempt,
      clientOf: createClientReader(options.trustedProxies),
      cookieName,
      adminRoot: options.adminRoot,
      secureCookie: options.secureCookie,
      openings: createOpenings(options, surroundings),
      connections,
      warn: surroundings.warn,
      onSlowed: surroundings.onSlowed,
      onFailed: surroundings.onFailed,
    })
    guardServer(server, gate, surroundings.onFailed)
  }

  return {
    guard,
    markUserEndpoint,
    /** The dashboard's socket: the gate has asked for the login; this is a second look. */
    allowSocket: (socket: IoSocket, next: (error?: Error) => void) =>
      next(userOf(socket.handshake.headers.cookie ?? '') ? undefined : new Error('login required')),
    adminAuth: {
      type: 'credentials',
      users: (name: string) => Promise.resolve(name === user.username ? user : null),
      // The gate answers /auth/token itself: nothing else may hand out tokens.
      authenticate: () => Promise.resolve(null),
      tokens: (cookieOrToken: string) => Promise.resolve(userOf(cookieOrToken)),
      tokenHeader: 'cookie',
    },
  }
}
