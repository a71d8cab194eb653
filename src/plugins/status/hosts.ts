import { isIP } from 'node:net'

/** What the parts of the project call the container, besides what `STATUS_HOSTS` adds. */
const OWN_NAMES: readonly string[] = ['localhost', 'node-red', 'status']

/**
 * Whether a `Host` header names this server. A web page can have a name of its own that leads to 127.0.0.1, and would be of the same
 * origin as what answers to it; to an address it cannot be.
 */
export function isOwnHost(header: string, further: readonly string[]): boolean {
  const [, bracketed, plain = ''] = /^(?:\[([^\]]*)\]|([^:]*))(?::\d*)?$/.exec(header.trim().toLowerCase()) ?? []
  if (bracketed !== undefined) return isIP(bracketed) === 6
  const name = plain.replace(/\.$/, '')
  return isIP(name) === 4 || OWN_NAMES.includes(name) || further.includes(name)
}
