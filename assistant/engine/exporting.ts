import { writeExport } from '../shared/export/write.ts'
import type { ExportFormat, Request, Requests } from '../shared/protocol.ts'
import type { Endpoint } from './endpoint.ts'
import { spanOf } from './log.ts'

const FILES: Record<ExportFormat, { ending: string; type: string }> = {
  text: { ending: 'txt', type: 'text/plain; charset=utf-8' },
  csv: { ending: 'csv', type: 'text/csv; charset=utf-8' },
  hexdump: { ending: 'hex.txt', type: 'text/plain; charset=utf-8' },
  pcapng: { ending: 'pcapng', type: 'application/x-pcapng' },
  flow: { ending: 'json', type: 'application/json' },
}

/** A log, or a part of it, as a file. */
export function performExport(endpoint: Endpoint, { format, ...span }: Extract<Request, { do: 'export' }>): Requests['export']['answer'] {
  const { spec, local } = endpoint.info()
  const content = writeExport(format, spanOf(endpoint.log, span), {
    name: endpoint.name,
    kind: spec.kind,
    spec,
    ...(local ? { local } : {}),
  })
  const { ending, type } = FILES[format]
  const base = endpoint.name.replace(/[^\p{L}\p{N}.-]+/gu, '-').replace(/^[-.]+|-+$/g, '')
  return { name: `${base || 'log'}.${ending}`, type, data: Buffer.from(content as Uint8Array).toString('base64') }
}
