import { createHash } from 'node:crypto'
import { join } from 'node:path'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import { createAttempts } from './attempts.ts'
import { createClientReader } from './client.ts'
import { createDevices } from './devices.ts'
import { createGate } from './gate.ts'
import type { PasswordHash } from './passwords.ts'
import { openSessions } from './sessions.ts'
import { isUserEndpoint, markUserEndpoint, type ExpressApp } from './user-endpoints.ts'

export type LoginOptions = {
  user: string
  password: PasswordHash
  dataDir: string
  adminRoot: string
  /** Asks for the login at endpoints that flows open, too. */
  closeUserEndpoints: boolean
  secureCookie: boolean
  /** Addresses and networks of reverse proxies whose X-Forwarded-… headers are believed. */
  trustedProxies?: string | undefined
}

type User = { username: string; permissions: string }
type IoSocket = { handshake: { headers: { cookie?: string } } }

export type Login = ReturnType<typeof createLogin>

/** One login for all that is served on the editor's port. */
export function createLogin(options: LoginOptions) {
  const key = `${options.user}\n${options.password}`
  const sessions = openSessions(join(options.dataDir, '.secrets', 'sessions.json'), key)
  const devices = createDevices(key)
  const attempt = createAttempts({ user: options.user, password: options.password })
  // Browsers keep cookies by host, whatever the port: two installations on one host must not end each other's sessions.
  const cookieName = `node-red-tcp-${createHash('sha256').update(options.password).digest('hex').slice(0, 8)}`
  const user: User = { username: options.user, permissions: '*' }

  function userOf(cookieOrToken: string): User | null {
    const token = new RegExp(`(?:^|;\\s*)(?:${cookieName}=)?([\\w-]+)$`).exec(cookieOrToken)?.[1] ?? ''
    return sessions.isValid(token) ? user : null
  }

  /** Puts the gate in front of whatever listens to the server's requests, now or later. */
  function guard(
    server: Server,
    surroundings: { httpNode: ExpressApp; isOpenSocket: (path: string) => boolean; warn: (message: string) => void },
  ): void {
    const gate = createGate({
      sessions,
      devices,
      attempt,
      clientOf: createClientReader(options.trustedProxies),
      cookieName,
      adminRoot: options.adminRoot,
      secureCookie: options.secureCookie,
      isOpen: (method, path) => !options.closeUserEndpoints && isUserEndpoint(surroundings.httpNode, method, path),
      isOpenSocket: (path) => !options.closeUserEndpoints && surroundings.isOpenSocket(path),
      warn: surroundings.warn,
    })
    const emit = server.emit.bind(server) as (event: string, ...args: unknown[]) => boolean
    // Not a listener: socket.io and others take over the listeners that they find. Nobody gets round emit.
    server.emit = ((event: string, ...args: unknown[]): boolean => {
      const next = () => void emit(event, ...args)
      if (event === 'request') gate.request(args[0] as IncomingMessage, args[1] as ServerResponse, next)
      else if (event === 'upgrade') gate.upgrade(args[0] as IncomingMessage, args[1] as Duplex, next)
      else return emit(event, ...args)
      return true
    }) as Server['emit']
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
