import { isIPv4, isIPv6 } from 'node:net'
import { addressToBytes, normalizeAddress } from './access-list.ts'

// https://www.haproxy.org/download/3.2/doc/proxy-protocol.txt
const V1_START = Buffer.from('PROXY ')
const V1_MAX_BYTES = 107
const V2_START = Buffer.from('\r\n\r\n\0\r\nQUIT\n')
const V2_FIXED_BYTES = 16
// The specification allows 65,535, but nobody sends more than a few hundred.
const V2_MAX_VARIABLE_BYTES = 4096
const NOTHING = Buffer.alloc(0)

export type ProxyEndpoints = { sourceAddress: string; sourcePort: number; destinationAddress: string; destinationPort: number }

/** `local`: the header names no addresses, those of the connection itself count. `rest`: what came after the header. */
export type ProxyResult = Partial<ProxyEndpoints> & { local: boolean; rest: Buffer }

export type ProxyParser = {
  /**
   * Undefined when more bytes are needed.
   * @throws ProxyProtocolError
   */
  push: (chunk: Buffer) => ProxyResult | undefined
}

/** A connection begins without a PROXY protocol header, or with an invalid one. */
export class ProxyProtocolError extends Error {}

/** Reads the PROXY protocol header, version 1 or 2, that a connection begins with. Addresses are in canonical spelling. */
export function createProxyParser(): ProxyParser {
  let held: Buffer = NOTHING
  return {
    push(chunk) {
      held = held.length === 0 ? chunk : Buffer.concat([held, chunk])
      const start = startsLikeProxyHeader(held)
      if (start === 'no') throw new ProxyProtocolError('the connection does not begin with a PROXY protocol header')
      if (start === 'maybe') return undefined
      return held[0] === V1_START[0] ? parseV1(held) : parseV2(held)
    },
  }
}

/** Whether a connection that begins with these bytes begins with a PROXY protocol header; `maybe` when they are too few to tell. */
export function startsLikeProxyHeader(bytes: Buffer): 'yes' | 'no' | 'maybe' {
  for (const start of [V1_START, V2_START]) {
    const length = Math.min(start.length, bytes.length)
    if (start.compare(bytes, 0, length, 0, length) === 0) return length === start.length ? 'yes' : 'maybe'
  }
  return 'no'
}

function parseV1(bytes: Buffer): ProxyResult | undefined {
  const end = bytes.subarray(0, V1_MAX_BYTES).indexOf('\r\n')
  if (end < 0 && bytes.length < V1_MAX_BYTES) return undefined
  if (end < 0) throw new ProxyProtocolError(`a PROXY protocol v1 header is longer than ${V1_MAX_BYTES} bytes`)
  const line = bytes.toString('latin1', 0, end)
  const rest = bytes.subarray(end + 2)
  if (/^PROXY UNKNOWN(?: |$)/.test(line)) return { local: true, rest }
  const [, family, sourceAddress = '', destinationAddress = '', sourcePort, destinationPort] =
    /^PROXY TCP([46]) (\S+) (\S+) (0|[1-9]\d{0,4}) (0|[1-9]\d{0,4})$/.exec(line) ?? []
  const isAddress = family === '4' ? isIPv4 : isPlainIPv6
  const endpoints = { sourceAddress, sourcePort: Number(sourcePort), destinationAddress, destinationPort: Number(destinationPort) }
  const isRight =
    isAddress(sourceAddress) && isAddress(destinationAddress) && endpoints.sourcePort <= 0xffff && endpoints.destinationPort <= 0xffff
  if (!isRight) throw new ProxyProtocolError(`a PROXY protocol v1 header is malformed: ${JSON.stringify(line)}`)
  return { ...normalizeEndpoints(endpoints), local: false, rest }
}

function parseV2(bytes: Buffer): ProxyResult | undefined {
  const version = (bytes[V2_START.length] ?? 0x20) >> 4
  if (version !== 2) throw new ProxyProtocolError(`a PROXY protocol header has version ${version}, which is neither 1 nor 2`)
  if (bytes.length < V2_FIXED_BYTES) return undefined
  const command = bytes[12]! & 0x0f
  const family = bytes[13]! >> 4
  const transport = bytes[13]! & 0x0f
  const length = bytes.readUInt16BE(14)
  if (command > 1) throw new ProxyProtocolError(`a PROXY protocol v2 header has the unknown command ${command}`)
  if (length > V2_MAX_VARIABLE_BYTES) {
    throw new ProxyProtocolError(`a PROXY protocol v2 header tells of ${length} bytes, the limit is ${V2_MAX_VARIABLE_BYTES}`)
  }
  const isLocal = command === 0
  if (!isLocal && (family > 3 || transport > 2)) {
    throw new ProxyProtocolError(`a PROXY protocol v2 header has the unknown family 0x${bytes.toString('hex', 13, 14)}`)
  }
  // Unix sockets, datagrams and unspecified families carry no address of a TCP device.
  const addressBytes = isLocal || transport !== 1 ? 0 : ({ 1: 4, 2: 16 }[family] ?? 0)
  const needed = addressBytes === 0 ? 0 : 2 * addressBytes + 4
  if (length < needed) throw new ProxyProtocolError(`a PROXY protocol v2 header has ${length} bytes for addresses that need ${needed}`)
  if (bytes.length < V2_FIXED_BYTES + length) return undefined
  const rest = bytes.subarray(V2_FIXED_BYTES + length)
  if (addressBytes === 0) return { local: true, rest }
  const addresses = bytes.subarray(V2_FIXED_BYTES)
  const endpoints = {
    sourceAddress: formatAddress(addresses.subarray(0, addressBytes)),
    sourcePort: addresses.readUInt16BE(2 * addressBytes),
    destinationAddress: formatAddress(addresses.subarray(addressBytes, 2 * addressBytes)),
    destinationPort: addresses.readUInt16BE(2 * addressBytes + 2),
  }
  return { ...normalizeEndpoints(endpoints), local: false, rest }
}

/** Writes a header; one without addresses (UNKNOWN, LOCAL) when no endpoints are given. Addresses of both families go as IPv6. */
export function formatProxyHeader({
  version,
  ...given
}: { version: 1 | 2 } & (ProxyEndpoints | { [K in keyof ProxyEndpoints]?: never })): Buffer {
  const endpoints = given.sourceAddress === undefined ? undefined : given
  return version === 1 ? formatV1(endpoints) : formatV2(endpoints)
}

function formatV1(endpoints: ProxyEndpoints | undefined): Buffer {
  if (endpoints === undefined) return Buffer.from('PROXY UNKNOWN\r\n')
  const { family, source, destination } = alike(endpoints)
  return Buffer.from(`PROXY TCP${family} ${source} ${destination} ${endpoints.sourcePort} ${endpoints.destinationPort}\r\n`)
}

function formatV2(endpoints: ProxyEndpoints | undefined): Buffer {
  if (endpoints === undefined) return Buffer.concat([V2_START, Buffer.from([0x20, 0, 0, 0])])
  const { family, source, destination } = alike(endpoints)
  const ports = Buffer.alloc(4)
  ports.writeUInt16BE(endpoints.sourcePort)
  ports.writeUInt16BE(endpoints.destinationPort, 2)
  const addresses = Buffer.concat([addressToBytes(source), addressToBytes(destination), ports])
  return Buffer.concat([V2_START, Buffer.from([0x21, family === 4 ? 0x11 : 0x21, 0, addresses.length]), addresses])
}

function alike(endpoints: ProxyEndpoints): { family: 4 | 6; source: string; destination: string } {
  const [source, destination] = [normalizeAddress(endpoints.sourceAddress), normalizeAddress(endpoints.destinationAddress)]
  if (isIPv4(source) && isIPv4(destination)) return { family: 4, source, destination }
  const toIPv6 = (address: string) => (isIPv4(address) ? `::ffff:${address}` : address)
  return { family: 6, source: toIPv6(source), destination: toIPv6(destination) }
}

function normalizeEndpoints(endpoints: ProxyEndpoints): ProxyEndpoints {
  const { sourceAddress, destinationAddress } = endpoints
  return { ...endpoints, sourceAddress: normalizeAddress(sourceAddress), destinationAddress: normalizeAddress(destinationAddress) }
}

function isPlainIPv6(address: string): boolean {
  return isIPv6(address) && !address.includes('%')
}

function formatAddress(bytes: Buffer): string {
  return bytes.length === 4 ? bytes.join('.') : (bytes.toString('hex').match(/.{4}/g) ?? []).join(':')
}
