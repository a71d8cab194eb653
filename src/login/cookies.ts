import type { IncomingMessage } from 'node:http'

/** All values that a request has for a cookie: a browser sends those of its parent domains and other paths too. */
export function cookieValues({ headers }: IncomingMessage, name: string): string[] {
  return (headers.cookie ?? '').split(';').flatMap((cookie) => {
    const [key = '', value = ''] = cookie.trim().split('=', 2)
    return key === name ? [value] : []
  })
}
