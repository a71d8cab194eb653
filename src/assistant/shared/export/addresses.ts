// Addresses as packets hold them.
import type { ExportContext } from './entries.ts'

export type Address = { bytes: Uint8Array; port: number }
export type Pair = { local: Address; remote: Address }

// For what is no address; of the block for documentation, RFC 5737.
const UNKNOWN = Uint8Array.of(192, 0, 2, 1)
const LOOPBACK_4 = Uint8Array.of(127, 0, 0, 1)
const LOOPBACK_6 = Uint8Array.from({ length: 16 }, (_, index) => (index === 15 ? 1 : 0))

/** Both ends of a conversation, of one IP version. */
export function addressesOf(peer: string, context: ExportContext): Pair {
  const [, bracketed, plain, port] = /^(?:\[(.*)\]|(.*?)):(\d+)(?:#\d+)?$/.exec(peer) ?? []
  const remote = parseAddress(bracketed ?? plain ?? '') ?? UNKNOWN
  const own = parseAddress(context.local?.address ?? '')
  const loopback = remote.length === 4 ? LOOPBACK_4 : LOOPBACK_6
  const local = own?.length === remote.length && own.some((byte) => byte !== 0) ? own : loopback
  return { local: { bytes: local, port: context.local?.port ?? 0 }, remote: { bytes: remote, port: Number(port ?? 0) & 0xffff } }
}

/** The bytes of an IPv4 or IPv6 address; 4 for an IPv4 address that is written as IPv6. */
export function parseAddress(text: string): Uint8Array | undefined {
  const plain = text.replace(/%.*$/, '')
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(plain)?.[1] ?? plain
  if (/^\d{1,3}(\.\d{1,3}){3}$/.test(mapped)) {
    const bytes = mapped.split('.').map(Number)
    return bytes.every((byte) => byte < 256) ? Uint8Array.from(bytes) : undefined
  }
  return mapped.includes(':') ? parseAddress6(mapped) : undefined
}

function parseAddress6(text: string): Uint8Array | undefined {
  const dotted = /^(.*:)(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(text)
  const whole = dotted === null ? text : `${dotted[1]}${pairHex(dotted[2]!, dotted[3]!)}:${pairHex(dotted[4]!, dotted[5]!)}`
  const [head = '', tail, ...rest] = whole.split('::')
  const left = head === '' ? [] : head.split(':')
  const right = tail === undefined || tail === '' ? [] : tail.split(':')
  const gap = 8 - left.length - right.length
  if (rest.length > 0 || gap < 0 || (tail === undefined && gap > 0)) return undefined
  const groups = [...left, ...Array.from({ length: gap }, () => '0'), ...right]
  if (!groups.every((group) => /^[0-9a-f]{1,4}$/i.test(group))) return undefined
  return Uint8Array.from(groups.flatMap((group) => [parseInt(group, 16) >> 8, parseInt(group, 16) & 0xff]))
}

function pairHex(high: string, low: string): string {
  return (Number(high) * 256 + Number(low)).toString(16)
}
