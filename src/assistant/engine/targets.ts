import { BlockList, isIP } from 'node:net'
import { matches, parseAddressList } from '../../tcp/access-list.ts'
import { metadataAddress } from './metadata.ts'
import { notice, type Notice } from '../shared/notice.ts'

export const TARGETS_FORM =
  'addresses and networks, with ports where only some are meant, such as 10.0.0.0/8:1-1024, 192.168.1.5, [2001:db8::/32]:80'

// A network as wide as this or wider does not mean one of them in particular.
const NARROW_IPV4_BITS = 16
const NARROW_IPV6_BITS = 10

type Target = { list: BlockList; narrow: boolean; first: number; last: number }

/** Where the assistant may connect and send to. */
export type Targets = {
  /** Why an address must not be dialled, or undefined when it may. */
  refuse: (address: string, port: number, host?: string) => Notice | undefined
}

/** @throws when an entry is no address or network, or its ports are none */
export function parseTargets(text: string): readonly Target[] {
  return text
    .split(/[\s,]+/)
    .filter((entry) => entry !== '')
    .map(parseTarget)
}

/** Without a list everything but metadata addresses may be dialled. */
export function createTargets(text?: string): Targets {
  const allowed = text === undefined ? undefined : parseTargets(text)
  return {
    refuse(address, port, host = address) {
      const fits = ({ list, first, last }: Target, one: string) => port >= first && port <= last && matches(list, one)
      const metadata = metadataAddress(address)
      if (metadata !== undefined && !allowed?.some((target) => target.narrow && fits(target, metadata)))
        return notice('METADATA_ADDRESS', { address })
      if (allowed !== undefined && !allowed.some((target) => fits(target, address)))
        return notice('TARGET_NOT_ALLOWED', { host, port, address })
      return undefined
    },
  }
}

function parseTarget(entry: string): Target {
  const bracketed = /^\[([^\]]+)\](?::(\d{1,5})(?:-(\d{1,5}))?)?$/.exec(entry)
  const plain = bracketed ?? /^([^:]+)(?::(\d{1,5})(?:-(\d{1,5}))?)?$/.exec(entry)
  // Colons without brackets: an IPv6 address as it is.
  const [, network = entry, from, to = from] = plain ?? []
  const first = Number(from ?? 1)
  const last = Number(to ?? 65535)
  if (first < 1 || first > last || last > 65535) throw new Error(`"${entry}": ports go from low to high within 1-65535`)
  const [address = '', bits] = network.split('/')
  const isIpv4 = isIP(address) === 4
  const narrow = bits === undefined || Number(bits) >= (isIpv4 ? NARROW_IPV4_BITS : NARROW_IPV6_BITS)
  return { list: parseAddressList(network), narrow, first, last }
}
