import { formatHex } from '../../../text/hex.ts'
import type { LogEntry } from '../protocol.ts'
import { decodeBytes, describeNote, formatTime, type ExportContext } from './entries.ts'

const COLUMNS = ['number', 'time', 'direction', 'peer', 'bytes', 'hex', 'text']
// What spreadsheets take for the start of a formula: https://owasp.org/www-community/attacks/CSV_Injection
const FORMULA = /^[=+\-@\t\r\n＝＋－＠]/

/** A log as CSV after RFC 4180, in UTF-8 with a BOM so that spreadsheets know it. */
export function exportCsv(entries: Iterable<LogEntry>, context: ExportContext): string {
  return [...csvParts(entries, context)].join('')
}

export function* csvParts(entries: Iterable<LogEntry>, context: ExportContext): Generator<string> {
  yield `\uFEFF${rowOf(COLUMNS)}`
  for (const entry of entries) {
    const { n, t, dir, peer, data, note } = entry
    const text = note === undefined ? decodeBytes(data ?? new Uint8Array(), context) : describeNote(note, context)
    yield rowOf([
      String(n),
      formatTime(t),
      dir,
      peer,
      data === undefined ? '' : String(data.length),
      data === undefined ? '' : formatHex(data),
      text,
    ])
  }
}

function rowOf(fields: readonly string[]): string {
  return `${fields.map(field).join(',')}\r\n`
}

function field(text: string): string {
  const harmless = FORMULA.test(text) ? `'${text}` : text
  return /[",\r\n]/.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless
}
