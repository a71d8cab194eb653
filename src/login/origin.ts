import type { IncomingMessage } from 'node:http'

/**
 * Whether a request comes from a page of another origin. SameSite cookies go along from any port of the same host; the origin tells them
 * apart, and where a browser sends none, its Sec-Fetch-Site does.
 */
export function isForeign({ headers }: IncomingMessage, ownHosts: readonly string[]): boolean {
  const { origin } = headers
  if (origin === undefined) return ['cross-site', 'same-site'].includes(String(headers['sec-fetch-site'] ?? 'none'))
  if (!URL.canParse(origin)) return true
  const { protocol, host } = new URL(origin)
  return !ownHosts.some((own) => hostOf(protocol, own) === host)
}

/** Without the default port, which some proxies write. */
function hostOf(protocol: string, host: string): string | undefined {
  return URL.canParse(`${protocol}//${host}`) ? new URL(`${protocol}//${host}`).host : undefined
}
