// Who may announce a forwarder: only another container on a network of this one.
import { readFileSync } from 'node:fs'
import { BlockList, isIPv4, isIPv6 } from 'node:net'
import { networkInterfaces, type NetworkInterfaceInfo } from 'node:os'

const RTF_GATEWAY = 0x2
const MAPPED = /^::ffff:(?=\d+\.)/i

/** What this machine's network looks like: its own addresses with their networks, and the gateways that it sends by. */
export type NetworkView = {
  interfaces: readonly Pick<NetworkInterfaceInfo, 'address' | 'cidr' | 'internal'>[]
  gateways: readonly string[]
}

/**
 * Whether an address is another machine's on a network that this one is attached to itself. A gateway is not: whoever connects from the
 * host, by a published port, comes in with its address. On a network without a way out no route names the host's address; Docker gives
 * it the first one.
 */
export function isNeighbour(address: string, { interfaces, gateways }: NetworkView = readNetwork()): boolean {
  const plain = address.replace(MAPPED, '').replace(/%.*$/, '')
  const family = isIPv4(plain) ? 'ipv4' : isIPv6(plain) ? 'ipv6' : undefined
  if (!family) return false
  const attached = new BlockList()
  const excluded = new BlockList()
  for (const gateway of gateways) excluded.addAddress(gateway, isIPv4(gateway) ? 'ipv4' : 'ipv6')
  for (const { address: own, cidr, internal } of interfaces) {
    const [network = '', bits] = (cidr ?? '').split('/')
    if (internal || network === '') continue
    const kind = isIPv4(own) ? 'ipv4' : 'ipv6'
    excluded.addAddress(own, kind)
    attached.addSubnet(network, Number(bits), kind)
    if (kind === 'ipv4' && !gateways.some((gateway) => isWithin(gateway, { network, bits: Number(bits) }))) {
      excluded.addAddress(firstOf(network, Number(bits)), kind)
    }
  }
  return attached.check(plain, family) && !excluded.check(plain, family)
}

/** The network of this machine as it is now; without gateways where the kernel does not tell them. */
export function readNetwork(): NetworkView {
  return {
    interfaces: Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []),
    gateways: [...parseRoutes(readText('/proc/net/route')), ...parseRoutes6(readText('/proc/net/ipv6_route'))],
  }
}

/** The gateways in `/proc/net/route`, where addresses are hexadecimal in the byte order of the machine. */
export function parseRoutes(text: string): string[] {
  return rowsOf(text).flatMap(([, , gateway = '', flags = '']) => {
    if (!/^[\dA-F]{8}$/i.test(gateway) || (Number.parseInt(flags, 16) & RTF_GATEWAY) === 0) return []
    return [[...Buffer.from(gateway, 'hex')].reverse().join('.')]
  })
}

/** The gateways in `/proc/net/ipv6_route`. */
export function parseRoutes6(text: string): string[] {
  return rowsOf(text).flatMap(([, , , , gateway = '', , , , flags = '']) => {
    if (!/^[\da-f]{32}$/i.test(gateway) || (Number.parseInt(flags, 16) & RTF_GATEWAY) === 0) return []
    return [gateway.match(/.{4}/g)!.join(':')]
  })
}

function isWithin(address: string, { network, bits }: { network: string; bits: number }): boolean {
  const list = new BlockList()
  list.addSubnet(network, bits, 'ipv4')
  return isIPv4(address) && list.check(address, 'ipv4')
}

/** The first address of a network for a machine. */
function firstOf(network: string, bits: number): string {
  const value = network.split('.').reduce((sum, byte) => sum * 256 + Number(byte), 0)
  const size = 2 ** (32 - bits)
  const first = Math.floor(value / size) * size + 1
  return [24, 16, 8, 0].map((shift) => Math.floor(first / 2 ** shift) % 256).join('.')
}

function rowsOf(text: string): string[][] {
  return text.split('\n').map((line) => line.trim().split(/\s+/))
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}
