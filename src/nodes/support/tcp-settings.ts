/** Process-wide defaults of the tcp nodes (`settings.tcp`). Sizes in bytes, times in milliseconds; 0 means no limit. */
export type TcpDefaults = {
  /** Address that listeners bind to; undefined: all, IPv4 and IPv6. */
  bind?: string
  maxConnections?: number
  maxPerAddress?: number
  idleMs?: number
  writeBuffer?: number
  maxFrame?: number
  maxSingle?: number
  /** How long a tcp request waits for an answer while others wait for their turn. */
  replyMs?: number
  proxyTrusted?: string
  /** What all connections together may hold: bytes, or text such as `64m` or `25%`; else a share of the available memory. */
  memory?: string | number
}
