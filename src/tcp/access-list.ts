import { BlockList, isIP, isIPv4, isIPv6, SocketAddress } from 'node:net'
import { addressBytes } from '../text/address-bytes.ts'

const FORMS = '10.0.0.0/8, 192.168.1.5, 2001:db8::/32 or 2001:db8::1'
const MAPPED_BITS = 96

/**
 * Addresses and networks in CIDR form, separated by commas, spaces or newlines. An IPv6 network that holds ::ffff:0:0/96, such as ::/0, includes
 * IPv4 too.
 * @throws when an entry is neither
 */
export function parseAddressList(text: string): BlockList {
  const list = new BlockList()
  for (const entry of text.split(/[\s,]+/)) if (entry !== '') addEntry(list, entry)
  return list
}

/** Whether an address is in a list; IPv4 also as ::ffff:a.b.c.d. Text that is not an address is in no list. */
export function matches(list: BlockList, address: string): boolean {
  const normalized = normalizeAddress(address)
  if (isIPv4(normalized)) return list.check(normalized, 'ipv4')
  return isIPv6(normalized) && list.check(normalized, 'ipv6')
}

/** An address in its canonical spelling: IPv4 without ::ffff:, IPv6 short and in lower case, without a zone. Other text stays as it is. */
export function normalizeAddress(address: string): string {
  if (!isIPv6(address)) return address
  const [withoutZone = ''] = address.split('%')
  const usual = new SocketAddress({ address: withoutZone, family: 'ipv6' }).address
  return /^::ffff:(\d+\.\d+\.\d+\.\d+)$/.exec(usual)?.[1] ?? usual
}

/** The 4 bytes of an IPv4 address, the 16 of an IPv6 one. @throws when it is neither */
export function addressToBytes(address: string): Buffer {
  const bytes = addressBytes(address)
  if (bytes === undefined) throw new Error(`"${address}" is not an address: write 192.168.1.5 or 2001:db8::1`)
  return Buffer.from(bytes)
}

function addEntry(list: BlockList, entry: string): void {
  const [, address = '', length] = /^([^/%]+)(?:\/(\d{1,3}))?$/.exec(entry) ?? []
  const bits = { 0: 0, 4: 32, 6: 128 }[isIP(address) as 0 | 4 | 6]
  const prefix = Number(length ?? bits)
  if (bits === 0 || prefix > bits) throw new Error(`"${entry}" is not an address or network: write ${FORMS}`)
  const normalized = normalizeAddress(address)
  if (isIPv4(address)) list.addSubnet(address, prefix, 'ipv4')
  else if (isIPv4(normalized) && prefix >= MAPPED_BITS) list.addSubnet(normalized, prefix - MAPPED_BITS, 'ipv4')
  else list.addSubnet(address, prefix, 'ipv6')
}
