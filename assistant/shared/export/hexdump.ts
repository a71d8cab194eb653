import { hexPair } from '../../../tcp/hex.ts'
import type { LogEntry } from '../protocol.ts'
import { ARROWS, describeNote, formatTime, visible, type ExportContext } from './entries.ts'

const BYTES_A_LINE = 16

/** A log as offset, HEX and ASCII, sixteen bytes a line; each entry begins at offset 0. */
export function exportHexdump(entries: Iterable<LogEntry>, context: ExportContext): string {
  const blocks: string[] = []
  for (const { t, dir, peer, data, note } of entries) {
    const head = `# ${formatTime(t)} ${ARROWS[dir]} ${peer || '-'}`
    if (note !== undefined) blocks.push(`${head}  ${visible(describeNote(note, context))}\n`)
    else if (data !== undefined) blocks.push(`${head}  ${data.length} bytes\n${dumpHex(data)}`)
  }
  return blocks.join('\n')
}

/** `00000000  68 65 6C 6C 6F …  |hello|`, a line for each sixteen bytes */
export function dumpHex(bytes: Uint8Array): string {
  const lines: string[] = []
  for (let offset = 0; offset < bytes.length; offset += BYTES_A_LINE) {
    const line = bytes.subarray(offset, offset + BYTES_A_LINE)
    const pairs = Array.from({ length: BYTES_A_LINE }, (_, index) => (index < line.length ? hexPair(line[index]!) : '  '))
    const hex = `${pairs.slice(0, 8).join(' ')}  ${pairs.slice(8).join(' ')}`
    const ascii = Array.from(line, (byte) => (byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '.')).join('')
    lines.push(`${offset.toString(16).toUpperCase().padStart(8, '0')}  ${hex}  |${ascii}|\n`)
  }
  return lines.join('')
}
