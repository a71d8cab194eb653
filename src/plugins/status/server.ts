import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { limitConnections } from '../http-connections.ts'
import { isOwnHost } from './hosts.ts'
import { readable } from './readable.ts'

// Streams, and the health checks of as many forwarders as there may be at one time.
const MAX_CONNECTIONS = 128
const LIMITS = { headersMs: 3_000, answerMs: 10_000 }

export type Answer = { status: number; type: string; body: string; headers?: Record<string, string> }
/** Answers, or has taken the response over and answers nothing. */
export type Page = (request: IncomingMessage, url: URL, response: ServerResponse) => Answer | Promise<Answer> | undefined
/** By path; one that ends in / stands for all below it. */
export type Routes = Record<string, Page>

/** A JSON answer, readable for people too. */
export function json(body: unknown, status = 200): Answer {
  return { status, type: 'application/json', body: `${JSON.stringify(body, null, 2)}\n` }
}

/**
 * A server that answers GET on the given paths, and nothing else, to who asks by an address or one of the names that it knows.
 * `reserved`: how many descriptors are kept for it and the editor.
 */
export function createStatusServer(routes: Routes, { hosts, reserved }: { hosts: readonly string[]; reserved: number }): Server {
  const server = createServer((request, response) => {
    if (!connections.request(request, response)) return
    answer(request, response, { routes, hosts }).then(
      (found) => found && send(response, found),
      (error: Error) => send(response, json({ error: error.message }, 500)),
    )
  })
  // The rest of what is kept of the descriptors is for the editor.
  const most = Math.min(MAX_CONNECTIONS, Math.floor(reserved / 2))
  const connections = limitConnections(server, { most, ...LIMITS })
  return server
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  { routes, hosts }: { routes: Routes; hosts: readonly string[] },
): Promise<Answer | undefined> {
  const { method, url: path = '/', headers } = request
  if (headers.host !== undefined && !isOwnHost(headers.host, hosts)) return json({ error: strangeHost(headers.host) }, 421)
  if (method !== 'GET') return json({ error: `${method} is not allowed here: GET only` }, 405)
  const url = URL.canParse(path, 'http://local') ? new URL(path, 'http://local') : undefined
  const page = url && pageOf(url.pathname, routes)
  return url && page
    ? page(request, url, response)
    : json({ error: `no such page: ${path.split('?')[0]}`, pages: Object.keys(routes) }, 404)
}

function strangeHost(host: string): string {
  const name = readable(host)
  return `"${name}" is no name of this status port: ask by an address or localhost, or put the name into STATUS_HOSTS`
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
