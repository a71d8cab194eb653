import { readFile } from 'node:fs/promises'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { dirname, extname, join } from 'node:path'

// Beside the compiled code: dist/page.
const WEB = join(dirname(dirname(dirname(import.meta.dirname))), 'page')
const YEAR_SECONDS = 365 * 24 * 3600

const TYPES: Record<string, string> = {
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.json': 'application/json',
  '.woff2': 'font/woff2',
}

// Received bytes are data: should one of them ever become markup, it can neither run nor load anything.
const HEADERS = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self'; connect-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
}

type AssetRequest = IncomingMessage & { params: { name: string }; originalUrl?: string }

/** Serves the page as it was built. */
export function createPageServer(folder = WEB) {
  async function index(request: AssetRequest, response: ServerResponse): Promise<void> {
    // The page names its parts relative to its folder, since HTTP_ADMIN_ROOT moves it.
    const [path = '', query] = (request.originalUrl ?? request.url ?? '').split('?', 2)
    if (!path.endsWith('/')) return redirect(response, `assistant/${query === undefined ? '' : `?${query}`}`)
    const page = await readFile(join(folder, 'index.html')).catch(() => undefined)
    if (page === undefined)
      return answer(response, 503, 'text/plain; charset=utf-8', 'The page of the assistant was not built: run npm run build\n')
    answer(response, 200, 'text/html; charset=utf-8', page, 'no-cache')
  }

  async function asset({ params, headers }: AssetRequest, response: ServerResponse): Promise<void> {
    const { name } = params
    const type = TYPES[extname(name)]
    // A name of one part that does not begin with a dot: there is no way out of the folder.
    if (type === undefined || !/^[\w-][\w.-]*$/.test(name)) return answer(response, 404, 'text/plain', 'not found\n')
    const path = join(folder, 'assets', name)
    const wantsBrotli = /\bbr\b/.test(String(headers['accept-encoding'] ?? ''))
    const packed = wantsBrotli ? await readFile(`${path}.br`).catch(() => undefined) : undefined
    const content = packed ?? (await readFile(path).catch(() => undefined))
    if (content === undefined) return answer(response, 404, 'text/plain', 'not found\n')
    response.setHeader('vary', 'accept-encoding')
    if (packed) response.setHeader('content-encoding', 'br')
    answer(response, 200, type, content, `public, max-age=${YEAR_SECONDS}, immutable`)
  }

  return { index, asset }
}

function redirect(response: ServerResponse, location: string): void {
  response.writeHead(302, { location, 'content-length': 0, 'cache-control': 'no-cache' }).end()
}

function answer(response: ServerResponse, status: number, type: string, body: string | Buffer, caching = 'no-store'): void {
  response
    .writeHead(status, { ...HEADERS, 'content-type': type, 'content-length': Buffer.byteLength(body), 'cache-control': caching })
    .end(body)
}
