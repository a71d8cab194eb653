import { makeFlow } from '../flow.ts'
import type { ExportFormat, LogEntry } from '../protocol.ts'
import type { EndpointSpec } from '../spec.ts'
import { exportCsv } from './csv.ts'
import type { ExportContext } from './entries.ts'
import { exportHexdump } from './hexdump.ts'
import { exportPcapng } from './pcapng.ts'
import { exportText } from './text.ts'

/** Entries of a log in a form that other programs read. */
export function writeExport(
  format: ExportFormat,
  entries: readonly LogEntry[],
  context: ExportContext & { spec: EndpointSpec },
): string | Uint8Array {
  switch (format) {
    case 'text':
      return exportText(entries, context)
    case 'csv':
      return exportCsv(entries, context)
    case 'hexdump':
      return exportHexdump(entries, context)
    case 'pcapng':
      return exportPcapng(entries, context)
    case 'flow':
      return JSON.stringify(makeFlow(entries, context), null, 2)
  }
}
