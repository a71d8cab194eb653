/** Address and port as people write them: `10.0.0.5:9501`, an IPv6 address in brackets. Runs in a browser too. */
export function formatAddress(address: string, port: number): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`
}

/** Whether an address is reached from its own machine only. */
export function isLoopback(address: string | undefined): boolean {
  return address !== undefined && (address.startsWith('127.') || address === '::1')
}

/** Where this machine reaches what is bound to an address: a wildcard is no place to connect to. */
export function reachableAddress(address: string): string {
  return address === '0.0.0.0' ? '127.0.0.1' : address === '::' ? '::1' : address
}

/** Where this process reaches a server of its own that is bound to an address; IPv4 is what a wildcard always has. */
export function ownAddress(bound: string): string {
  return bound === '0.0.0.0' || bound === '::' ? '127.0.0.1' : bound
}

/** Whom an address stands for: an IPv4 address itself, all of the /64 that an IPv6 address is in, since one host has that many. */
export function networkOf(address: string): string {
  if (!address.includes(':')) return address
  const [front = '', back] = address.split('::')
  const groups = front.split(':').filter((group) => group !== '')
  const zeros = back === undefined ? 0 : 8 - groups.length - back.split(':').filter((group) => group !== '').length
  return `${[...groups, ...Array<string>(zeros).fill('0'), ...(back ?? '').split(':')].slice(0, 4).join(':')}::/64`
}
