import type { BlockList } from 'node:net'
import { matches } from './access-list.ts'

/** Who may connect to a listener, and how many. 0 and undefined mean no limit. */
export type AdmissionLimits = {
  maxConnections: number
  maxPerAddress: number
  allow: BlockList | undefined
  deny: BlockList | undefined
}

/**
 * Who is connected. A peer that has ended makes room for the next at once, even while replies are on their way to it. One that stays longer
 * is counted again.
 */
export type Places = {
  take: (guest: Guest) => void
  /** The peer has sent FIN and is still connected. */
  free: (guest: Guest) => void
  /** The peer has sent FIN and stays. */
  retake: (guest: Guest) => void
  /** The connection is gone. */
  forget: (guest: Guest) => void
  /** How many are counted: of all, or of those from an address. */
  count: (address?: string) => number
  /** How many are connected, counted or not. */
  present: (address?: string) => number
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
  const count = (address?: string) => (address === undefined ? total : (byAddress.get(address) ?? 0))
  return {
    take: ({ ip }) => add(ip, 1),
    free(guest) {
      if (freed.has(guest)) return
      freed.add(guest)
      add(guest.ip, -1)
    },
    retake(guest) {
      if (freed.delete(guest)) add(guest.ip, 1)
    },
    forget(guest) {
      if (!freed.delete(guest)) add(guest.ip, -1)
    },
    count,
    present: (address) => count(address) + [...freed].filter(({ ip }) => address === undefined || ip === address).length,
  }
}

/** Why a connection from `address` is refused, or undefined when it may come in. */
export function refusalOf(address: string, limits: AdmissionLimits, places: Places): string | undefined {
  const { maxConnections, maxPerAddress } = limits
  return unwantedBy(address, limits) ?? limitReached(address, { maxConnections, maxPerAddress }, places)
}

/** Why the lists refuse an address, regardless of limits; undefined when they allow it. */
export function unwantedBy(address: string, { allow, deny }: Pick<AdmissionLimits, 'allow' | 'deny'>): string | undefined {
  if (deny && matches(deny, address)) return 'its address is on the deny list'
  if (allow && !matches(allow, address)) return 'its address is not on the allow list'
  return undefined
}

/** Which limit has no room for another from `address`. Those that are about to go may be as many again. */
export function limitReached(
  address: string,
  { maxConnections, maxPerAddress }: Pick<AdmissionLimits, 'maxConnections' | 'maxPerAddress'>,
  places: Places,
): string | undefined {
  if (isFull(maxConnections, places)) return `the limit of ${maxConnections} connections is reached`
  if (isFull(maxPerAddress, places, address)) return `the limit of ${maxPerAddress} connections from one address is reached`
  return undefined
}

/** Whether the limit is exceeded, now that a peer counts again. */
export function isExceeded(address: string, { maxConnections, maxPerAddress }: AdmissionLimits, places: Places): boolean {
  return (maxConnections > 0 && places.count() > maxConnections) || (maxPerAddress > 0 && places.count(address) > maxPerAddress)
}

function isFull(limit: number, places: Places, address?: string): boolean {
  return limit > 0 && (places.count(address) >= limit || places.present(address) >= 2 * limit)
}
