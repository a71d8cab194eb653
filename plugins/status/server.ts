import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'

const MAX_CONNECTIONS = 64
const REQUEST_TIMEOUT_MS = 10_000

export type Answer = { status: number; type: string; body: string }
type Routes = Record<string, () => Answer | Promise<Answer>>

/** A JSON answer, readable for people too. */
export function json(body: unknown, status = 200): Answer {
  return { status, type: 'application/json', body: `${JSON.stringify(body, null, 2)}\n` }
}

/** A server that answers GET on the given paths, and nothing else. */
export function createStatusServer(routes: Routes): Server {
  const server = createServer({ requestTimeout: REQUEST_TIMEOUT_MS, headersTimeout: REQUEST_TIMEOUT_MS }, (request, response) => {
    answer(request, routes).then(
      (found) => send(response, found),
      (error: Error) => send(response, json({ error: error.message }, 500)),
    )
  })
  server.maxConnections = MAX_CONNECTIONS
  return server
}

async function answer({ method, url = '/' }: IncomingMessage, routes: Routes): Promise<Answer> {
  if (method !== 'GET') return json({ error: `${method} is not allowed here: GET only` }, 405)
  const { pathname } = new URL(url, 'http://local')
  const route = Object.hasOwn(routes, pathname) ? routes[pathname] : undefined
  return route ? route() : json({ error: `no such page: ${pathname}`, pages: Object.keys(routes) }, 404)
}

function send(response: ServerResponse, { status, type, body }: Answer): void {
  const headers: Record<string, string> = { 'content-type': type, 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' }
  if (status === 405) headers.allow = 'GET'
  response.writeHead(status, headers).end(body)
}
