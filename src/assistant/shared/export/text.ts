import type { LogEntry } from '../protocol.ts'
import { ARROWS, decodeBytes, describeNote, formatTime, visible, type ExportContext } from './entries.ts'

/** A log as lines for people: `2026-…Z <- 10.0.0.5:4001  12 B  hello\r\n` */
export function exportText(entries: Iterable<LogEntry>, context: ExportContext): string {
  return [...textParts(entries, context)].join('')
}

export function* textParts(entries: Iterable<LogEntry>, context: ExportContext): Generator<string> {
  for (const entry of entries) {
    const start = `${formatTime(entry.t)} ${ARROWS[entry.dir]} ${entry.peer || '-'}`
    if (entry.note !== undefined) yield `${start}  ${visible(describeNote(entry.note, context))}\n`
    else if (entry.data !== undefined) yield `${start}  ${entry.data.length} B  ${visible(decodeBytes(entry.data, context))}\n`
  }
}
