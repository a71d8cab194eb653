import { extname } from 'node:path'
import type { Endpoint } from '../engine/endpoint.ts'
import { exportCsv } from '../shared/export/csv.ts'
import type { ExportContext } from '../shared/export/entries.ts'
import { exportHexdump } from '../shared/export/hexdump.ts'
import { exportPcapng } from '../shared/export/pcapng.ts'
import { exportText } from '../shared/export/text.ts'
import { makeFlow } from '../shared/flow.ts'
import { describe } from './texts.ts'
import { UsageError } from './usage.ts'

export const EXPORTS = ['.txt', '.csv', '.hex', '.pcapng', '.json'] as const

/** The log of an endpoint in the form that the name of the file asks for. */
export function exportLog(path: string, endpoint: Endpoint): string | Uint8Array {
  const { name, spec, local } = endpoint.info()
  const entries = endpoint.log.slice(endpoint.log.first, endpoint.log.last)
  // A client that has ended has no address any more: that of its log's last word is as good as any.
  const context: ExportContext = { name, kind: spec.kind, describe, ...(local && { local }) }
  switch (extensionOf(path)) {
    case '.txt':
      return exportText(entries, context)
    case '.csv':
      return exportCsv(entries, context)
    case '.hex':
      return exportHexdump(entries, context)
    case '.pcapng':
      return exportPcapng(entries, context)
    case '.json':
      return `${JSON.stringify(makeFlow(entries, { ...context, spec }), null, 2)}\n`
  }
}

/** @throws UsageError */
export function extensionOf(path: string): (typeof EXPORTS)[number] {
  const extension = extname(path).toLowerCase()
  const found = EXPORTS.find((known) => known === extension)
  if (found === undefined) throw new UsageError(`"${path}": the name tells the form, allowed are ${EXPORTS.join(', ')}`)
  return found
}
