import { hexPair } from '../../../text/hex.ts'
import type { LogEntry } from '../protocol.ts'
import { ARROWS, describeNote, formatTime, visible, type ExportContext } from './entries.ts'

const BYTES_A_LINE = 16
const CHARACTERS_AT_ONCE = 16 * 1024

/** A log as offset, HEX and ASCII, sixteen bytes a line; each entry begins at offset 0. */
export function exportHexdump(entries: Iterable<LogEntry>, context: ExportContext): string {
  return [...hexdumpParts(entries, context)].join('')
}

export function* hexdumpParts(entries: Iterable<LogEntry>, context: ExportContext): Generator<string> {
  let between = ''
  for (const { t, dir, peer, data, note } of entries) {
    const head = `${between}# ${formatTime(t)} ${ARROWS[dir]} ${peer || '-'}`
    if (note !== undefined) yield `${head}  ${visible(describeNote(note, context))}\n`
    else if (data === undefined) continue
    else {
      yield `${head}  ${data.length} bytes\n`
      yield* dumpLines(data)
    }
    between = '\n'
  }
}

/** `00000000  68 65 6C 6C 6F …  |hello|`, a line for each sixteen bytes */
function* dumpLines(bytes: Uint8Array): Generator<string> {
  let lines = ''
  for (let offset = 0; offset < bytes.length; offset += BYTES_A_LINE) {
    let hex = ''
    let ascii = ''
    for (let at = offset; at < offset + BYTES_A_LINE; at += 1) {
      const byte = bytes[at]
      hex += `${at === offset ? '' : at === offset + BYTES_A_LINE / 2 ? '  ' : ' '}${byte === undefined ? '  ' : hexPair(byte)}`
      if (byte !== undefined) ascii += byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '.'
    }
    lines += `${offset.toString(16).toUpperCase().padStart(8, '0')}  ${hex}  |${ascii}|\n`
    if (lines.length < CHARACTERS_AT_ONCE) continue
    yield lines
    lines = ''
  }
  yield lines
}
