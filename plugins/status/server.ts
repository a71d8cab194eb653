import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'

// Streams, and the health checks of as many forwarders as there may be.
const MAX_CONNECTIONS = 128
const REQUEST_TIMEOUT_MS = 10_000

export type Answer = { status: number; type: string; body: string; headers?: Record<string, string> }
/** Answers, or has taken the response over and answers nothing. */
export type Page = (request: IncomingMessage, url: URL, response: ServerResponse) => Answer | Promise<Answer> | undefined
/** By path; one that ends in / stands for all below it. */
type Routes = Record<string, Page>

/** A JSON answer, readable for people too. */
export function json(body: unknown, status = 200): Answer {
  return { status, type: 'application/json', body: `${JSON.stringify(body, null, 2)}\n` }
}

/** A server that answers GET on the given paths, and nothing else. */
export function createStatusServer(routes: Routes): Server {
  const server = createServer({ requestTimeout: REQUEST_TIMEOUT_MS, headersTimeout: REQUEST_TIMEOUT_MS }, (request, response) => {
    answer(request, response, routes).then(
      (found) => found && send(response, found),
      (error: Error) => send(response, json({ error: error.message }, 500)),
    )
  })
  server.maxConnections = MAX_CONNECTIONS
  return server
}

async function answer(request: IncomingMessage, response: ServerResponse, routes: Routes): Promise<Answer | undefined> {
  const { method, url: path = '/' } = request
  if (method !== 'GET') return json({ error: `${method} is not allowed here: GET only` }, 405)
  const url = URL.canParse(path, 'http://local') ? new URL(path, 'http://local') : undefined
  const page = url && pageOf(url.pathname, routes)
  return url && page
    ? page(request, url, response)
    : json({ error: `no such page: ${path.split('?')[0]}`, pages: Object.keys(routes) }, 404)
}

function pageOf(pathname: string, routes: Routes): Page | undefined {
  if (Object.hasOwn(routes, pathname)) return routes[pathname]
  const parent = pathname.slice(0, pathname.lastIndexOf('/') + 1)
  return parent !== '/' && Object.hasOwn(routes, parent) ? routes[parent] : undefined
}

function send(response: ServerResponse, { status, type, body, headers: own }: Answer): void {
  const headers: Record<string, string> = { ...own, 'content-type': type, 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' }
  if (status === 405) headers.allow = 'GET'
  response.writeHead(status, headers).end(body)
}
