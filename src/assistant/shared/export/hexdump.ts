import { dumpLines } from '../../../text/hex.ts'
import type { LogEntry } from '../protocol.ts'
import { ARROWS, describeNote, formatTime, visible, type ExportContext } from './entries.ts'

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
