// IP packets around payload, with right lengths and checksums.
import { concatBytes } from '../../../text/escapes.ts'
import type { Address } from './addresses.ts'

export type TcpFlags = { syn?: boolean; ack?: boolean; fin?: boolean; rst?: boolean; psh?: boolean }

const TCP = 6
const UDP = 17
const HOPS = 64
const WINDOW = 65_535
const IPV4_HEADER = 20
const IPV6_HEADER = 40
const TCP_HEADER = 20
const UDP_HEADER = 8
/** What fits into one packet of either version of IP. */
export const MAX_TCP_PAYLOAD = 65_535 - IPV6_HEADER - TCP_HEADER
export const MAX_UDP_PAYLOAD = 65_535 - IPV4_HEADER - UDP_HEADER

export function tcpPacket(from: Address, to: Address, tcp: { seq: number; ack: number; flags: TcpFlags; payload: Uint8Array }): Uint8Array {
  const header = new Uint8Array(TCP_HEADER)
  const view = new DataView(header.buffer)
  view.setUint16(0, from.port)
  view.setUint16(2, to.port)
  view.setUint32(4, tcp.seq)
  view.setUint32(8, tcp.flags.ack ? tcp.ack : 0)
  view.setUint8(12, (TCP_HEADER / 4) << 4)
  const { fin, syn, rst, psh, ack } = tcp.flags
  view.setUint8(13, (fin ? 1 : 0) | (syn ? 2 : 0) | (rst ? 4 : 0) | (psh ? 8 : 0) | (ack ? 16 : 0))
  view.setUint16(14, WINDOW)
  view.setUint16(16, transportChecksum(from, to, TCP, concatBytes([header, tcp.payload])))
  return ipPacket(from, to, TCP, concatBytes([header, tcp.payload]))
}

export function udpPacket(from: Address, to: Address, payload: Uint8Array): Uint8Array {
  const header = new Uint8Array(UDP_HEADER)
  const view = new DataView(header.buffer)
  view.setUint16(0, from.port)
  view.setUint16(2, to.port)
  view.setUint16(4, UDP_HEADER + payload.length)
  // 0 would say that there is none (RFC 768).
  view.setUint16(6, transportChecksum(from, to, UDP, concatBytes([header, payload])) || 0xffff)
  return ipPacket(from, to, UDP, concatBytes([header, payload]))
}

function ipPacket(from: Address, to: Address, protocol: number, payload: Uint8Array): Uint8Array {
  return from.bytes.length === 4 ? ipv4Packet(from, to, protocol, payload) : ipv6Packet(from, to, protocol, payload)
}

function ipv4Packet(from: Address, to: Address, protocol: number, payload: Uint8Array): Uint8Array {
  const header = new Uint8Array(IPV4_HEADER)
  const view = new DataView(header.buffer)
  view.setUint8(0, 0x45)
  view.setUint16(2, IPV4_HEADER + payload.length)
  // Not to be fragmented
  view.setUint16(6, 0x4000)
  view.setUint8(8, HOPS)
  view.setUint8(9, protocol)
  header.set(from.bytes, 12)
  header.set(to.bytes, 16)
  view.setUint16(10, internetChecksum(header))
  return concatBytes([header, payload])
}

function ipv6Packet(from: Address, to: Address, protocol: number, payload: Uint8Array): Uint8Array {
  const header = new Uint8Array(IPV6_HEADER)
  const view = new DataView(header.buffer)
  view.setUint8(0, 0x60)
  view.setUint16(4, payload.length)
  view.setUint8(6, protocol)
  view.setUint8(7, HOPS)
  header.set(from.bytes, 8)
  header.set(to.bytes, 24)
  return concatBytes([header, payload])
}

function transportChecksum(from: Address, to: Address, protocol: number, segment: Uint8Array): number {
  const length = new Uint8Array(8)
  const view = new DataView(length.buffer)
  view.setUint32(0, segment.length)
  view.setUint32(4, protocol)
  // The pseudo header has these fields in another order and width for IPv4, which makes no difference to the sum.
  return internetChecksum(concatBytes([from.bytes, to.bytes, length, segment]))
}

/** RFC 1071 */
function internetChecksum(bytes: Uint8Array): number {
  let sum = 0
  for (let at = 0; at < bytes.length; at += 2) sum += (bytes[at]! << 8) | (bytes[at + 1] ?? 0)
  while (sum > 0xffff) sum = (sum & 0xffff) + Math.floor(sum / 0x10000)
  return ~sum & 0xffff
}
