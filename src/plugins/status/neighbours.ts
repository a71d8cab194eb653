// Who is on a network of this container, apart from the host: an address of an interface's network that is no way out of it.
import { readFileSync } from 'node:fs'
import { BlockList, isIPv6 } from 'node:net'
import { networkInterfaces } from 'node:os'
import { normalizeAddress } from '../../tcp/access-list.ts'

/** Whether an address belongs to another machine or container on a network of this one, and to none that leads out of it. */
export function isNeighbour(address: string): boolean {
  const family = isIPv6(address) ? 'ipv6' : 'ipv4'
  const own = Object.values(networkInterfaces()).flatMap((entries) => entries ?? [])
  if (own.some((entry) => normalizeAddress(entry.address) === address)) return false
  const networks = new BlockList()
  for (const { cidr, internal, family: named } of own) {
    const [network, bits] = (cidr ?? '').split('/')
    if (internal || !network || named.toLowerCase() !== family) continue
    networks.addSubnet(network, Number(bits), family)
  }
  return networks.check(address, family) && !gateways().includes(address)
}

/** The gateways of the routing tables. https://www.kernel.org/doc/html/latest/filesystems/proc.html */
function gateways(): string[] {
  const v4 = rows('/proc/net/route').map(([, , gateway = '']) =>
    gateway
      .match(/../g)
      ?.reverse()
      .map((byte) => Number.parseInt(byte, 16)),
  )
  const v6 = rows('/proc/net/ipv6_route').map(([, , , , gateway = '']) => gateway.match(/.{4}/g)?.join(':') ?? '')
  return [...v4.map((bytes) => bytes?.join('.') ?? ''), ...v6.map(normalizeAddress)]
}

function rows(table: string): string[][] {
  try {
    const lines = readFileSync(table, 'utf8').trim().split('\n')
    return lines.map((line) => line.trim().split(/\s+/))
  } catch {
    return []
  }
}
