import type { BlockList } from 'node:net'
import { matches } from './access-list.ts'

/** Who may connect to a listener, and how many. 0 and undefined mean no limit. */
export type AdmissionLimits = {
  maxConnections: number
  maxPerAddress: number
  allow: BlockList | undefined
  deny: BlockList | undefined
}

/** Who is in. A peer that has ended makes room for the next at once, even while replies to it are still on their way. */
export type Places = {
  take: (guest: Guest) => void
  /** The guest has ended, and is still here. */
  free: (guest: Guest) => void
  /** The guest has gone. */
  forget: (guest: Guest) => void
  readonly total: number
  from: (address: string) => number
}

type Guest = { readonly ip: string }

export function createPlaces(): Places {
  // Whoever is in is known to the listener; another list of all of them would be a good part of what idle ones cost.
  const freed = new Set<Guest>()
  const byAddress = new Map<string, number>()
  let total = 0
  const add = (address: string, difference: number) => {
    total += difference
    const count = (byAddress.get(address) ?? 0) + difference
    if (count > 0) byAddress.set(address, count)
    else byAddress.delete(address)
  }
  return {
    take: ({ ip }) => add(ip, 1),
    free(guest) {
      if (freed.has(guest)) return
      freed.add(guest)
      add(guest.ip, -1)
    },
    forget(guest) {
      if (!freed.delete(guest)) add(guest.ip, -1)
    },
    get total() {
      return total
    },
    from: (address) => byAddress.get(address) ?? 0,
  }
}

/** Why a connection from `address` is refused, or undefined when it may come in. */
export function refusalOf(address: string, limits: AdmissionLimits, places: Places): string | undefined {
  const { maxConnections, maxPerAddress } = limits
  if (limits.deny && matches(limits.deny, address)) return 'its address is on the deny list'
  if (limits.allow && !matches(limits.allow, address)) return 'its address is not on the allow list'
  if (maxConnections > 0 && places.total >= maxConnections) return `the limit of ${maxConnections} connections is reached`
  if (maxPerAddress > 0 && places.from(address) >= maxPerAddress)
    return `the limit of ${maxPerAddress} connections from one address is reached`
  return undefined
}
