import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import type { Attempt, AttemptResult } from './attempts.ts'
import type { Client } from './client.ts'
import { cookieValues } from './cookies.ts'
import type { Devices } from './devices.ts'
import { isForeign } from './origin.ts'
import { ownPath } from './own-path.ts'
import { readTarget, type Target } from './request-target.ts'
import { keepToken, tokensOf } from './session-token.ts'
import type { Sessions } from './sessions.ts'
import { PAGE_HEADERS, renderSignInPage, type SignInProblem } from './sign-in-page.ts'

const MAX_FORM_BYTES = 16 * 1024
const SAFE_METHODS = new Set(['GET', 'HEAD', 'OPTIONS'])
const FOREIGN = { error: 'this request comes from a page of another origin' }
const PROBLEM_STATUS: Record<SignInProblem['kind'], number> = { wrong: 401, foreign: 403, slow: 429 }

export type GateOptions = {
  sessions: Sessions
  devices: Devices
  attempt: (attempt: Attempt) => Promise<AttemptResult>
  clientOf: (request: IncomingMessage) => Client
  adminRoot: string
  cookieName: string
  secureCookie: boolean
  openings: Openings
  connections: Connections
  warn: (message: string) => void
  /** An address has tried too often. There may be any number of them. */
  onSlowed: (message: string) => void
  /** A request failed. There may be any number of them. */
  onFailed: (message: string) => void
}

/** What is open without a login. */
export type Openings = {
  /** Whether a request goes to what flows keep open; `serve` answers it. */
  isEndpoint: (method: string, target: Target) => boolean
  serve: (request: IncomingMessage, response: ServerResponse) => void
  /** Whether the configuration allows a path to be open, whatever is there. */
  isNamed: (method: string, target: Target) => boolean
  isSocket: (target: Target) => boolean
}

/** Bounds what is held open. */
export type Connections = {
  most: number
  /** False: the request is not to be answered. */
  request: (request: IncomingMessage, response: ServerResponse, trusted: boolean) => boolean
  leave: (socket: Duplex) => void
}

export type Gate = {
  /** Lets a request through to `next`, or answers it. */
  request: (request: IncomingMessage, response: ServerResponse, next: () => void) => void
  /** Lets a WebSocket handshake through to `next`, or ends it. */
  upgrade: (request: IncomingMessage, socket: Duplex, next: () => void) => void
}

/** The one door of the HTTP server: whatever is behind it is reached with a login only, but for endpoints that flows keep open. */
export function createGate(options: GateOptions): Gate {
  const { sessions, adminRoot, cookieName, openings } = options
  const signInPath = `${adminRoot}auth/sign-in`
  const deviceCookieName = `${cookieName}-device`
  // Without a login.
  let openSockets = 0

  function request(request: IncomingMessage, response: ServerResponse, next: () => void): void {
    const { method = 'GET' } = request
    const token = validToken(request)
    if (!options.connections.request(request, response, token !== undefined)) return
    const target = readTarget(request.url)
    if (!target) return sendJson(response, 400, { error: 'the path cannot be read' }, { connection: 'close' })
    const { pathname, searchParams } = target
    if (pathname === signInPath && method === 'GET') return showSignIn(request, response, { next: searchParams.get('next') ?? adminRoot })
    if (pathname === signInPath && method === 'POST') return void signIn(request, response).catch(failed(response))
    if (pathname === `${adminRoot}auth/token` && method === 'POST') return void issueToken(request, response).catch(failed(response))
    if (pathname === `${adminRoot}auth/login` && SAFE_METHODS.has(method)) return next()
    const isEndpoint = openings.isEndpoint(method, target)
    if (token === undefined) {
      if (isEndpoint) return openings.serve(request, response)
      return openings.isNamed(method, target) ? next() : refuse(request, response)
    }
    // Whatever is open: what a login may do, a page elsewhere may not do with it.
    if (!SAFE_METHODS.has(method) && isForeign(request, options.clientOf(request).hosts)) return sendJson(response, 403, FOREIGN)
    if (pathname === `${adminRoot}auth/revoke` && method === 'POST') return void signOut(request, response, token).catch(failed(response))
    keepToken(request, cookieName, token)
    response.once(
      'close',
      sessions.hold(token, () => response.destroy()),
    )
    if (!isEndpoint && !openings.isNamed(method, target)) protect(response)
    next()
  }

  function upgrade(request: IncomingMessage, socket: Duplex, next: () => void): void {
    options.connections.leave(socket)
    const target = readTarget(request.url)
    if (!target) return refuseSocket(socket, '400 Bad Request')
    const token = validToken(request)
    // Browsers send their cookies with every handshake, so a page elsewhere is a stranger, who may have what is open.
    if (token === undefined || isForeign(request, options.clientOf(request).hosts)) {
      if (!openings.isSocket(target)) return refuseSocket(socket, token === undefined ? '401 Unauthorized' : '403 Forbidden')
      if (openSockets >= options.connections.most) return refuseSocket(socket, '503 Service Unavailable')
      openSockets += 1
      socket.once('close', () => (openSockets -= 1))
      keepToken(request, cookieName, undefined)
      return next()
    }
    socket.once(
      'close',
      sessions.hold(token, () => socket.destroy()),
    )
    keepToken(request, cookieName, token)
    next()
  }

  function validToken(request: IncomingMessage): string | undefined {
    return tokensOf(request, cookieName).find((token) => sessions.isValid(token))
  }

  function refuse(request: IncomingMessage, response: ServerResponse): void {
    const wantsPage = request.method === 'GET' && (request.headers.accept ?? '').includes('text/html')
    if (!wantsPage) return sendJson(response, 401, { error: 'login required', login: signInPath })
    response
      .writeHead(302, { location: `${signInPath}?next=${encodeURIComponent(request.url ?? adminRoot)}`, 'cache-control': 'no-store' })
      .end()
  }

  function showSignIn(
    request: IncomingMessage,
    response: ServerResponse,
    form: { next: string; user?: string | undefined; problem?: SignInProblem },
  ): void {
    const page = renderSignInPage({ ...form, acceptLanguage: request.headers['accept-language'] ?? '' })
    const status = form.problem === undefined ? 200 : PROBLEM_STATUS[form.problem.kind]
    response.writeHead(status, { ...PAGE_HEADERS, ...retryAfter(form.problem) }).end(page)
  }

  async function signIn(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const form = await readForm(request)
    const result = await check(request, form)
    const next = form.next ?? adminRoot
    if (result.kind !== 'right') return showSignIn(request, response, { next, user: form.username, problem: result })
    response
      .writeHead(303, {
        location: ownPath(next) ?? adminRoot,
        'set-cookie': newCookies(request, sessions.begin()),
        'cache-control': 'no-store',
      })
      .end()
  }

  // The way of Node-RED's own editor and of API clients: https://nodered.org/docs/api/admin/methods/post/auth/token/
  async function issueToken(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const form = await readForm(request)
    const result = await check(request, form)
    if (result.kind === 'foreign') return sendJson(response, 403, FOREIGN)
    if (result.kind === 'slow') {
      return sendJson(
        response,
        429,
        { error: 'too_many_attempts', error_description: `try again in ${result.seconds} s` },
        retryAfter(result),
      )
    }
    if (result.kind === 'wrong') return sendJson(response, 401, { error: 'invalid_grant', error_description: 'user or password is wrong' })
    const token = sessions.begin()
    sendJson(
      response,
      200,
      { access_token: token, expires_in: sessions.lifetimeSeconds, token_type: 'Bearer' },
      { 'set-cookie': newCookies(request, token) },
    )
  }

  async function check(
    request: IncomingMessage,
    { username = '', password = '' }: Record<string, string>,
  ): Promise<AttemptResult | { kind: 'foreign' }> {
    const { address, hosts } = options.clientOf(request)
    // A page elsewhere could use up the tries of all who share an address.
    if (isForeign(request, hosts)) return { kind: 'foreign' }
    const result = await options.attempt({ user: username, password, address, device: deviceOf(request) })
    if (result.kind === 'wrong') options.warn(`login refused for ${address}: wrong user or password`)
    // Once for an address: the log must not be filled from outside.
    if (result.kind === 'slow' && !result.again) options.onSlowed(`login refused for ${address}: too many attempts`)
    return result
  }

  /** Whoever has signed in before: by the mark that was left then, or by a session that still lives. */
  function deviceOf(request: IncomingMessage): string | undefined {
    for (const mark of cookieValues(request, deviceCookieName)) {
      const device = options.devices.identify(mark)
      if (device !== undefined) return device
    }
    return validToken(request)
  }

  async function signOut(request: IncomingMessage, response: ServerResponse, token: string): Promise<void> {
    await sessions.end(token)
    const ended = cookie(request, { name: cookieName, value: '', path: '/', seconds: 0 })
    sendJson(response, 200, { redirect: signInPath }, { 'set-cookie': ended })
  }

  function newCookies(request: IncomingMessage, token: string): string[] {
    const { devices } = options
    return [
      cookie(request, { name: cookieName, value: token, path: '/', seconds: sessions.lifetimeSeconds }),
      cookie(request, { name: deviceCookieName, value: devices.mark(), path: `${adminRoot}auth`, seconds: devices.lifetimeSeconds }),
    ]
  }

  function cookie(
    request: IncomingMessage,
    { name, value, path, seconds }: { name: string; value: string; path: string; seconds: number },
  ) {
    const secure = options.secureCookie || options.clientOf(request).secure
    return `${name}=${value}; Path=${path}; HttpOnly; SameSite=Lax; Max-Age=${seconds}${secure ? '; Secure' : ''}`
  }

  function failed(response: ServerResponse) {
    return (error: unknown) => {
      options.onFailed(`login request failed: ${(error as Error).message}`)
      if (!response.headersSent) sendJson(response, error instanceof FormError ? 400 : 500, { error: (error as Error).message })
    }
  }

  return { request, upgrade }
}

class FormError extends Error {}

/** Reads a small form, URL-encoded or JSON. */
async function readForm(request: IncomingMessage): Promise<Record<string, string>> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > MAX_FORM_BYTES) throw new FormError(`the form is longer than ${MAX_FORM_BYTES} bytes`)
    chunks.push(chunk)
  }
  const text = Buffer.concat(chunks).toString('utf8')
  if (!(request.headers['content-type'] ?? '').includes('json')) return Object.fromEntries(new URLSearchParams(text))
  try {
    const fields = Object.entries(JSON.parse(text) as Record<string, unknown>)
    return Object.fromEntries(fields.filter((field): field is [string, string] => typeof field[1] === 'string'))
  } catch (cause) {
    throw new FormError('the body is not JSON', { cause })
  }
}

/** Only pages of this server may frame editor and dashboard, and content types are not guessed. */
function protect(response: ServerResponse): void {
  response.setHeader('content-security-policy', "frame-ancestors 'self'")
  response.setHeader('x-content-type-options', 'nosniff')
}

/** Whoever is refused is not waited for: a socket that is ended from one side only stays. */
function refuseSocket(socket: Duplex, status: string): void {
  socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`, () => socket.destroy())
}

function retryAfter(problem: SignInProblem | undefined): Record<string, string> {
  return problem?.kind === 'slow' ? { 'retry-after': String(problem.seconds) } : {}
}

function sendJson(response: ServerResponse, status: number, body: object, headers: Record<string, string | string[]> = {}): void {
  response
    .writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store', ...headers })
    .end(`${JSON.stringify(body)}\n`)
}
