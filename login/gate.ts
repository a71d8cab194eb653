import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import type { AttemptResult } from './attempts.ts'
import type { Sessions } from './sessions.ts'
import { PAGE_HEADERS, renderSignInPage, type SignInProblem } from './sign-in-page.ts'

const MAX_FORM_BYTES = 16 * 1024
const SAFE_METHODS = new Set(['GET', 'HEAD', 'OPTIONS'])

export type GateOptions = {
  sessions: Sessions
  attempt: (input: { user: string; password: string; address: string }) => Promise<AttemptResult>
  adminRoot: string
  cookieName: string
  secureCookie: boolean
  /** Whether a request goes to an endpoint that a flow keeps open for everybody. */
  isOpen: (method: string, path: string) => boolean
  isOpenSocket: (path: string) => boolean
  warn: (message: string) => void
}

export type Gate = {
  /** Lets a request through to `next`, or answers it. */
  request: (request: IncomingMessage, response: ServerResponse, next: () => void) => void
  /** Lets a WebSocket handshake through to `next`, or ends it. */
  upgrade: (request: IncomingMessage, socket: Duplex, next: () => void) => void
}

/** The one door of the HTTP server: whatever is behind it is reached with a login only, but for endpoints that flows keep open. */
export function createGate(options: GateOptions): Gate {
  const { sessions, adminRoot, cookieName } = options
  const signInPath = `${adminRoot}auth/sign-in`

  function request(request: IncomingMessage, response: ServerResponse, next: () => void): void {
    const { method = 'GET' } = request
    const { pathname, searchParams } = targetOf(request)
    if (pathname === signInPath && method === 'GET') return showSignIn(request, response, { next: searchParams.get('next') ?? adminRoot })
    if (pathname === signInPath && method === 'POST') return void signIn(request, response).catch(failed(response))
    if (pathname === `${adminRoot}auth/token` && method === 'POST') return void issueToken(request, response).catch(failed(response))
    if (pathname === `${adminRoot}auth/login` && SAFE_METHODS.has(method)) return next()
    if (options.isOpen(method, pathname)) return next()
    const token = validToken(request)
    if (token === undefined) return refuse(request, response)
    if (!SAFE_METHODS.has(method) && isForeign(request))
      return sendJson(response, 403, { error: 'this request comes from a page of another origin' })
    if (pathname === `${adminRoot}auth/revoke` && method === 'POST') return signOut(response, token)
    // Node-RED's own check reads the cookie, whichever way the token came.
    request.headers.cookie = `${cookieName}=${token}`
    next()
  }

  function upgrade(request: IncomingMessage, socket: Duplex, next: () => void): void {
    const { pathname } = targetOf(request)
    if (options.isOpenSocket(pathname)) return next()
    const token = validToken(request)
    if (token === undefined || isForeign(request)) {
      socket.end('HTTP/1.1 401 Unauthorized\r\nConnection: close\r\nContent-Length: 0\r\n\r\n')
      return
    }
    request.headers.cookie = `${cookieName}=${token}`
    next()
  }

  function validToken(request: IncomingMessage): string | undefined {
    const bearer = /^Bearer ([\w-]+)$/.exec(request.headers.authorization ?? '')?.[1]
    const cookie = new RegExp(`(?:^|;\\s*)${cookieName}=([\\w-]+)`).exec(request.headers.cookie ?? '')?.[1]
    return [bearer, cookie].find((token) => token !== undefined && sessions.isValid(token))
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
    { next, problem }: { next: string; problem?: SignInProblem },
  ): void {
    const status = problem === undefined ? 200 : problem.kind === 'wrong' ? 401 : 429
    const page = renderSignInPage({ acceptLanguage: request.headers['accept-language'] ?? '', next, ...(problem ? { problem } : {}) })
    response.writeHead(status, { ...PAGE_HEADERS, ...retryAfter(problem) }).end(page)
  }

  async function signIn(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const form = await readForm(request)
    const result = await check(request, form)
    const next = form.next ?? adminRoot
    if (result.kind !== 'right') return showSignIn(request, response, { next, problem: result })
    response
      .writeHead(303, { location: ownPath(next) ?? adminRoot, 'set-cookie': cookie(sessions.begin()), 'cache-control': 'no-store' })
      .end()
  }

  // The way of Node-RED's own editor and of API clients: https://nodered.org/docs/api/admin/methods/post/auth/token/
  async function issueToken(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const form = await readForm(request)
    const result = await check(request, form)
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
      { 'set-cookie': cookie(token) },
    )
  }

  async function check(request: IncomingMessage, { username = '', password = '' }: Record<string, string>): Promise<AttemptResult> {
    const address = request.socket.remoteAddress ?? ''
    const result = await options.attempt({ user: username, password, address })
    if (result.kind !== 'right')
      options.warn(`login refused for ${address}: ${result.kind === 'wrong' ? 'wrong user or password' : 'too many attempts'}`)
    return result
  }

  function signOut(response: ServerResponse, token: string): void {
    sessions.end(token)
    sendJson(response, 200, { redirect: signInPath }, { 'set-cookie': `${cookie('')}; Max-Age=0` })
  }

  function cookie(token: string): string {
    const lifetime = token === '' ? '' : `; Max-Age=${sessions.lifetimeSeconds}`
    return `${cookieName}=${token}; Path=/; HttpOnly; SameSite=Lax${lifetime}${options.secureCookie ? '; Secure' : ''}`
  }

  function failed(response: ServerResponse) {
    return (error: unknown) => {
      options.warn(`login request failed: ${(error as Error).message}`)
      if (!response.headersSent) sendJson(response, error instanceof FormError ? 400 : 500, { error: (error as Error).message })
    }
  }

  return { request, upgrade }
}

// The path as it was sent: one that only becomes /auth/login when dots or slashes are resolved is another to those behind the gate.
function targetOf({ url = '/' }: IncomingMessage): { pathname: string; searchParams: URLSearchParams } {
  const [pathname = '', search = ''] = url.split('?', 2)
  return { pathname, searchParams: new URLSearchParams(search) }
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

// SameSite cookies go along from any port of the same host; the origin tells them apart.
function isForeign(request: IncomingMessage): boolean {
  const { origin, host } = request.headers
  if (origin === undefined) return false
  return !URL.canParse(origin) || new URL(origin).host !== host
}

/** A path on this server, or undefined when it would lead elsewhere. */
function ownPath(path: string): string | undefined {
  const url = URL.canParse(path, 'http://local') ? new URL(path, 'http://local') : undefined
  return url?.origin === 'http://local' && path.startsWith('/') ? `${url.pathname}${url.search}` : undefined
}

function retryAfter(problem: SignInProblem | undefined): Record<string, string> {
  return problem?.kind === 'slow' ? { 'retry-after': String(problem.seconds) } : {}
}

function sendJson(response: ServerResponse, status: number, body: object, headers: Record<string, string> = {}): void {
  response
    .writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store', ...headers })
    .end(`${JSON.stringify(body)}\n`)
}
