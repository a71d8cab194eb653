import { exportCsv } from '../shared/export/csv.ts'
import type { ExportContext } from '../shared/export/entries.ts'
import { exportHexdump } from '../shared/export/hexdump.ts'
import { exportPcapng } from '../shared/export/pcapng.ts'
import { exportText } from '../shared/export/text.ts'
import { makeFlow } from '../shared/flow.ts'
import type { ExportFormat, LogEntry, Request, Requests } from '../shared/protocol.ts'
import type { Endpoint } from './endpoint.ts'

const FILES: Record<ExportFormat, { ending: string; type: string }> = {
  text: { ending: 'txt', type: 'text/plain; charset=utf-8' },
  csv: { ending: 'csv', type: 'text/csv; charset=utf-8' },
  hexdump: { ending: 'hex.txt', type: 'text/plain; charset=utf-8' },
  pcapng: { ending: 'pcapng', type: 'application/x-pcapng' },
  flow: { ending: 'json', type: 'application/json' },
}

/** A log, or a part of it, as a file. */
export function performExport(
  endpoint: Endpoint,
  { format, from = 0, to = Infinity, peer }: Extract<Request, { do: 'export' }>,
): Requests['export']['answer'] {
  const all = endpoint.log.slice(from, to)
  const entries = peer ? all.filter((entry) => entry.peer === peer) : all
  const { local } = endpoint.info()
  const context: ExportContext = { name: endpoint.name, kind: endpoint.spec.kind, ...(local ? { local } : {}) }
  const { ending, type } = FILES[format]
  const base = endpoint.name.replace(/[^\p{L}\p{N}.-]+/gu, '-').replace(/^[-.]+|-+$/g, '')
  const content = write(format, entries, context, endpoint)
  return { name: `${base || 'log'}.${ending}`, type, data: Buffer.from(content as Uint8Array).toString('base64') }
}

function write(format: ExportFormat, entries: readonly LogEntry[], context: ExportContext, endpoint: Endpoint): string | Uint8Array {
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
      return JSON.stringify(makeFlow(entries, { ...context, spec: endpoint.info().spec }), undefined, 2)
  }
}
