import { makeFlow } from '../flow.ts'
import type { LogEntry } from '../protocol.ts'
import type { ExportFormat } from '../requests.ts'
import type { EndpointSpec } from '../spec.ts'
import { csvParts } from './csv.ts'
import type { ExportContext } from './entries.ts'
import { hexdumpParts } from './hexdump.ts'
import { pcapngParts } from './pcapng.ts'
import { textParts } from './text.ts'

/** Entries of a log in a form that other programs read, piece by piece. */
export function exportParts(
  format: ExportFormat,
  entries: readonly LogEntry[],
  context: ExportContext & { spec: EndpointSpec },
): Iterable<string | Uint8Array> {
  switch (format) {
    case 'text':
      return textParts(entries, context)
    case 'csv':
      return csvParts(entries, context)
    case 'hexdump':
      return hexdumpParts(entries, context)
    case 'pcapng':
      return pcapngParts(entries, context)
    case 'flow':
      return [JSON.stringify(makeFlow(entries, context), null, 2)]
  }
}
