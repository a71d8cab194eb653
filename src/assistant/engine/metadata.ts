// Addresses at which clouds tell machines about themselves, their keys among it, in all forms in which they can be dialled.
import { isIPv4, isIPv6 } from 'node:net'
import { addressToBytes, matches, normalizeAddress, parseAddressList } from '../../tcp/access-list.ts'

const METADATA = parseAddressList(
  [
    // Link-local: AWS, Azure, GCP, DigitalOcean, OpenStack and most others.
    '169.254.0.0/16, fe80::/10',
    // AWS: metadata, and credentials of EKS pods.
    'fd00:ec2::/64',
    // GCP
    'fd20:ce::254',
    // Oracle: the former address, and the one of IPv6.
    '192.0.0.192, fd00:c1::a9fe:a9fe',
    // Azure: the wire server, whose answers hold certificates.
    '168.63.129.16',
    // Alibaba
    '100.100.100.200',
    // Scaleway, and Akamai
    'fd00:42::42, fd00:a9fe:a9fe::/64',
  ].join(', '),
)

/** The metadata address that is reached by an address, be it itself or an IPv4 address that it carries; undefined when it is none. */
export function metadataAddress(address: string): string | undefined {
  const usual = normalizeAddress(address)
  return [usual, ...carriedIPv4(usual)].find((one) => matches(METADATA, one))
}

/** IPv4 addresses to which gateways and tunnels pass on what is sent to an IPv6 address. */
function carriedIPv4(address: string): string[] {
  if (isIPv4(address) || !isIPv6(address)) return []
  const bytes = addressToBytes(address)
  const hex = bytes.toString('hex')
  const at = (offset: number) => bytes.subarray(offset, offset + 4).join('.')
  const last = at(12)
  // IPv4-compatible (RFC 4291), IPv4-translated (RFC 2765), the well-known prefix of NAT64 (RFC 6052)
  if (/^(?:0{24}|0{16}ffff0000|0064ff9b0{16})/.test(hex)) return [last]
  // The local prefix of NAT64 (RFC 8215), which networks use whole or in parts (RFC 6052, 2.2): the ninth byte is none of the address.
  if (hex.startsWith('0064ff9b0001')) return [6, 7, 9, 12].map((offset) => pieceAround(bytes, offset))
  // 6to4 (RFC 3056)
  if (hex.startsWith('2002')) return [at(2)]
  // Teredo (RFC 4380): its server, and the client with all bits turned.
  if (hex.startsWith('20010000'))
    return [
      at(4),
      bytes
        .subarray(12)
        .map((byte) => byte ^ 0xff)
        .join('.'),
    ]
  // ISATAP (RFC 5214)
  if (/^.{16}0[0-3]005efe/.test(hex)) return [last]
  return []
}

function pieceAround(bytes: Buffer, offset: number): string {
  const piece = [...bytes.subarray(offset, 8), ...bytes.subarray(Math.max(offset, 9))]
  return piece.slice(0, 4).join('.')
}
