import { hexPair } from '../../../text/hex.ts'

const WIDTH = 16

/** `00000010  48 65 6C …  |Hel…|` */
export function dumpHex(bytes: Uint8Array): string {
  const lines: string[] = []
  for (let at = 0; at < bytes.length; at += WIDTH) {
    const line = bytes.subarray(at, at + WIDTH)
    const pairs = Array.from(line, hexPair)
    const hex = `${pairs.slice(0, 8).join(' ')}  ${pairs.slice(8).join(' ')}`.padEnd(WIDTH * 3 + 1)
    const text = Array.from(line, (byte) => (byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '.')).join('')
    lines.push(`${at.toString(16).toUpperCase().padStart(8, '0')}  ${hex} |${text}|`)
  }
  return lines.join('\n')
}
