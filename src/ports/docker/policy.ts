// Which ports watch may publish by itself.

const LOWEST_UNPRIVILEGED_PORT = 1024

export type PortRange = { first: number; last: number }

export type Policy = {
  /** Whether ports below 1024 are published too. */
  allowPrivileged: boolean
  deny: readonly PortRange[]
  /** The most forwarders that watch has at a time. */
  max: number
  /** The address of the host to publish on; undefined: the one of the range TCP_PORTS. */
  bind: string | undefined
}

/** Why a port must not be published, with the option that would change it; undefined when it may be. */
export function denialOf(port: number, { allowPrivileged, deny }: Policy): string | undefined {
  if (port < LOWEST_UNPRIVILEGED_PORT && !allowPrivileged)
    return `ports below ${LOWEST_UNPRIVILEGED_PORT} are not published by watch without --allow-privileged`
  const range = deny.find(({ first, last }) => port >= first && port <= last)
  return range && `watch was told not to publish it: --deny ${range.first === range.last ? range.first : `${range.first}-${range.last}`}`
}

/** Reads `5000-5010,6000`; undefined for other text. */
export function parseRanges(text: string): PortRange[] | undefined {
  const ranges = text.split(',').map((part) => {
    const [, from, to = from] = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(part.trim()) ?? []
    return { first: Number(from), last: Number(to) }
  })
  return ranges.every(({ first, last }) => first >= 1 && last <= 65535 && first <= last) ? ranges : undefined
}
