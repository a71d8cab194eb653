export type HostPort = { host: string; port: number }

/** `10.0.0.5:9501`, `scale.local:9501`, `[::1]:9501`, or a port of this machine, `9501`; undefined when it is none of them. */
export function parseHostPort(text: string): HostPort | undefined {
  const [, bracketed, plain, digits] = /^(?:\[([0-9A-Fa-f:.%\w]+)\]:|([\w.%-]+):)?(\d{1,5})$/.exec(text.trim()) ?? []
  const port = Number(digits)
  return port >= 1 && port <= 65_535 ? { host: bracketed ?? plain ?? '127.0.0.1', port } : undefined
}

export function parsePort(text: string): number | undefined {
  return /^\d{1,5}$/.test(text.trim()) && Number(text) <= 65_535 ? Number(text) : undefined
}
