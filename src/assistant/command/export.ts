import { extname } from 'node:path'
import type { Endpoint } from '../engine/endpoint.ts'
import { exportParts } from '../shared/export/write.ts'
import type { ExportFormat } from '../shared/requests.ts'
import { describe } from './texts.ts'
import { UsageError } from '../../cli/options.ts'

const FORMATS: Record<string, ExportFormat> = { '.txt': 'text', '.csv': 'csv', '.hex': 'hexdump', '.pcapng': 'pcapng', '.json': 'flow' }

/** The log of an endpoint in the form that the name of the file asks for. @throws UsageError */
export function exportLog(path: string, endpoint: Endpoint): Uint8Array {
  const format = formatOf(path)
  const { name, spec, local } = endpoint.info()
  const entries = endpoint.log.slice(endpoint.log.first, endpoint.log.last)
  // A client that has ended has no address any more: that of its log's last word is as good as any.
  const parts = exportParts(format, entries, { name, kind: spec.kind, spec, describe, ...(local && { local }) })
  const ending = format === 'flow' ? ['\n'] : []
  return Buffer.concat([...parts, ...ending].map((part) => Buffer.from(part as Uint8Array)))
}

/** @throws UsageError */
export function formatOf(path: string): ExportFormat {
  const format = FORMATS[extname(path).toLowerCase()]
  if (format === undefined) throw new UsageError(`"${path}": the name tells the form, allowed are ${Object.keys(FORMATS).join(', ')}`)
  return format
}
