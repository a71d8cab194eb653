// Addresses as packets hold them.
import { plainAddressBytes } from '../../../text/address-bytes.ts'
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
  const remote = plainAddressBytes(bracketed ?? plain ?? '') ?? UNKNOWN
  const own = plainAddressBytes(context.local?.address ?? '')
  const loopback = remote.length === 4 ? LOOPBACK_4 : LOOPBACK_6
  const local = own?.length === remote.length && own.some((byte) => byte !== 0) ? own : loopback
  return { local: { bytes: local, port: context.local?.port ?? 0 }, remote: { bytes: remote, port: Number(port ?? 0) & 0xffff } }
}
