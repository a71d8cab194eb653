import { concatBytes } from '../../text/escapes.ts'
import type { ChecksumName, ChecksumSpec } from './spec.ts'

export type Checksum = {
  /** Its length */
  bytes: number
  /** The order that devices mostly use */
  order: ChecksumSpec['order']
  compute: (bytes: Uint8Array) => number
}

export type Verdict = { ok: boolean; expected: number; found: number | undefined }

const CRC32 = createTable(0xedb88320)
const MODBUS = createTable(0xa001)
const CCITT_POLYNOMIAL = 0x1021

export const CHECKSUMS: Record<ChecksumName, Checksum> = {
  'crc16-modbus': { bytes: 2, order: 'little', compute: (bytes) => reflected(MODBUS, bytes, 0xffff) },
  'crc16-ccitt': { bytes: 2, order: 'big', compute: ccitt },
  crc32: { bytes: 4, order: 'big', compute: (bytes) => ~reflected(CRC32, bytes, 0xffffffff) >>> 0 },
  sum8: { bytes: 1, order: 'big', compute: (bytes) => bytes.reduce((sum, byte) => (sum + byte) & 0xff, 0) },
  xor8: { bytes: 1, order: 'big', compute: (bytes) => bytes.reduce((all, byte) => all ^ byte, 0) },
}

export const CHECKSUM_NAMES = Object.keys(CHECKSUMS) as ChecksumName[]

/** The bytes with their checksum behind them. */
export function appendChecksum(bytes: Uint8Array, spec: ChecksumSpec): Uint8Array {
  return concatBytes([bytes, checksumOf(bytes, spec)])
}

/** The checksum of these bytes as it is sent. */
export function checksumOf(bytes: Uint8Array, { name, order, from = 0, to }: ChecksumSpec): Uint8Array {
  const checksum = CHECKSUMS[name]
  const value = checksum.compute(bytes.slice(from, to))
  const result = Uint8Array.from({ length: checksum.bytes }, (_, index) => value >>> (8 * (checksum.bytes - 1 - index)))
  return order === 'big' ? result : result.reverse()
}

/** Whether a frame ends with its checksum. `from` and `to` count in the frame without it, as when it was appended. */
export function verifyChecksum(frame: Uint8Array, spec: ChecksumSpec): Verdict {
  const { bytes } = CHECKSUMS[spec.name]
  const length = Math.max(0, frame.length - bytes)
  const expected = toNumber(checksumOf(frame.slice(0, length), { ...spec, order: 'big' }))
  if (frame.length < bytes) return { ok: false, expected, found: undefined }
  const tail = frame.slice(length)
  const found = toNumber(spec.order === 'big' ? tail : tail.reverse())
  return { ok: found === expected, expected, found }
}

function toNumber(bytes: Uint8Array): number {
  return bytes.reduce((value, byte) => value * 0x100 + byte, 0)
}

/** Of a CRC whose bits go in and out with the lowest first. */
function createTable(polynomial: number): Uint32Array {
  return Uint32Array.from({ length: 256 }, (_, index) => {
    let value = index
    for (let bit = 0; bit < 8; bit += 1) value = value & 1 ? (value >>> 1) ^ polynomial : value >>> 1
    return value
  })
}

function reflected(table: Uint32Array, bytes: Uint8Array, start: number): number {
  return bytes.reduce((value, byte) => (value >>> 8) ^ table[(value ^ byte) & 0xff]!, start)
}

/** CRC-16/CCITT-FALSE, also called CRC-16/IBM-3740 */
function ccitt(bytes: Uint8Array): number {
  let value = 0xffff
  for (const byte of bytes) {
    value ^= byte << 8
    for (let bit = 0; bit < 8; bit += 1) value = (value & 0x8000 ? (value << 1) ^ CCITT_POLYNOMIAL : value << 1) & 0xffff
  }
  return value
}
