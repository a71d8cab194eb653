import type { BlockList } from 'node:net'
import { matches } from './access-list.ts'

/** Who may connect to a listener, and how many. 0 and undefined mean no limit. */
export type AdmissionLimits = {
  maxConnections: number
  maxPerAddress: number
  allow: BlockList | undefined
  deny: BlockList | undefined
}

/** Why a connection from `address` is refused, or undefined when it may come in. `open` are the addresses of those that are in. */
export function refusalOf(
  address: string,
  limits: AdmissionLimits,
  open: { total: number; byAddress: (address: string) => number },
): string | undefined {
  if (limits.deny && matches(limits.deny, address)) return 'its address is on the deny list'
  if (limits.allow && !matches(limits.allow, address)) return 'its address is not on the allow list'
  if (limits.maxConnections > 0 && open.total >= limits.maxConnections)
    return `the limit of ${limits.maxConnections} connections is reached`
  if (limits.maxPerAddress > 0 && open.byAddress(address) >= limits.maxPerAddress) {
    return `the limit of ${limits.maxPerAddress} connections from one address is reached`
  }
  return undefined
}
