import type { IncomingMessage } from 'node:http'
import { cookieValues } from './cookies.ts'

// Other servers of the same host or domain can set cookies of our name; the right one may come behind them.
const MAX_COOKIES = 16

/** All candidates for the session token: `Authorization: Bearer`, and each cookie of the name. */
export function tokensOf(request: IncomingMessage, cookieName: string): string[] {
  const bearer = /^Bearer ([\w-]+)$/i.exec(request.headers.authorization ?? '')?.[1]
  return [...(bearer === undefined ? [] : [bearer]), ...cookieValues(request, cookieName).slice(0, MAX_COOKIES)]
}

/** Makes `token` the only one of the request, whichever way it came: Node-RED's own check reads the cookie. None takes it away. */
export function keepToken(request: IncomingMessage, cookieName: string, token: string | undefined): void {
  const others = (request.headers.cookie ?? '')
    .split(';')
    .map((cookie) => cookie.trim())
    .filter((cookie) => cookie !== '' && cookie.split('=', 1)[0] !== cookieName)
  const kept = token === undefined ? others : [...others, `${cookieName}=${token}`]
  if (kept.length > 0) request.headers.cookie = kept.join('; ')
  else delete request.headers.cookie
}
