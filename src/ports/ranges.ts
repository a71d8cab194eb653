import { isIP } from 'node:net'

/** Ports that the container publishes under the same numbers at an address of the host. */
export type PublishedRange = { address: string; first: number; last: number }

/** What `PUBLISHED_PORTS` says: ranges, or that nobody knows. */
export type PublishedPorts = 'unknown' | readonly PublishedRange[]

export const PUBLISHED_PORTS_FORM = 'unknown, or address and ports such as 0.0.0.0:9500-9519, several separated by commas'

/** Reads the form of `PUBLISHED_PORTS`; undefined for other text. An IPv6 address may be in brackets or bare. */
export function parsePublishedPorts(text: string): PublishedPorts | undefined {
  if (text === 'unknown') return text
  const ranges = text.split(',').map((entry) => parseRange(entry.trim()))
  return ranges.every((range) => range !== undefined) ? ranges : undefined
}

function parseRange(entry: string): PublishedRange | undefined {
  const [, bracketed, plain, from, to = from] = /^(?:\[([^\]]+)\]|([^[\]]+)):(\d{1,5})(?:-(\d{1,5}))?$/.exec(entry) ?? []
  const address = bracketed ?? plain ?? ''
  const [first, last] = [Number(from), Number(to)]
  return isIP(address) !== 0 && first >= 1 && first <= last && last <= 65535 ? { address, first, last } : undefined
}
