/** Address and port as people write them: `10.0.0.5:9501`, an IPv6 address in brackets. Runs in a browser too. */
export function formatAddress(address: string, port: number): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`
}

/** Whether an address is reached from its own machine only. */
export function isLoopback(address: string | undefined): boolean {
  return address !== undefined && (address.startsWith('127.') || address === '::1')
}

/** Where this machine reaches a server bound to an address: nobody can connect to a wildcard. */
export function reachableAddress(address: string): string {
  return address === '0.0.0.0' ? '127.0.0.1' : address === '::' ? '::1' : address
}

/** Where this process reaches its own server bound to an address. A wildcard always includes IPv4. */
export function ownAddress(bound: string): string {
  return bound === '0.0.0.0' || bound === '::' ? '127.0.0.1' : bound
}

/** Whom an address stands for: the IPv4 address itself, or the whole /64 of an IPv6 address, since one host can use all of it. */
export function networkOf(address: string): string {
  if (!address.includes(':')) return address
  const [front = '', back] = address.split('::')
  const groups = front.split(':').filter((group) => group !== '')
  const zeros = back === undefined ? 0 : 8 - groups.length - back.split(':').filter((group) => group !== '').length
  return `${[...groups, ...Array<string>(zeros).fill('0'), ...(back ?? '').split(':')].slice(0, 4).join(':')}::/64`
}
