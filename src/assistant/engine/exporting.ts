import { exportParts } from '../shared/export/write.ts'
import type { Answers } from '../shared/protocol.ts'
import type { Asked, ExportFormat } from '../shared/requests.ts'
import { createBreath, type Breath } from './breath.ts'
import type { Endpoint } from './endpoint.ts'
import { spanOf } from './log.ts'

const FILES: Record<ExportFormat, { ending: string; type: string }> = {
  text: { ending: 'txt', type: 'text/plain; charset=utf-8' },
  csv: { ending: 'csv', type: 'text/csv; charset=utf-8' },
  hexdump: { ending: 'hex.txt', type: 'text/plain; charset=utf-8' },
  pcapng: { ending: 'pcapng', type: 'application/x-pcapng' },
  flow: { ending: 'json', type: 'application/json' },
}

const BLOCK_CHARACTERS = 64 * 1024

/** A log, or a part of it, as a file. Others have their turn meanwhile; nobody waits for the rest after `signal`. */
export async function exportAsFile(
  endpoint: Endpoint,
  { format, ...span }: Omit<Asked<'export'>, 'endpoint'>,
  signal?: AbortSignal,
): Promise<Answers['export']> {
  const { spec, local } = endpoint.info()
  const parts = exportParts(format, spanOf(endpoint.log, span), {
    name: endpoint.name,
    kind: spec.kind,
    spec,
    ...(local ? { local } : {}),
  })
  const { ending, type } = FILES[format]
  const base = endpoint.name.replace(/[^\p{L}\p{N}.-]+/gu, '-').replace(/^[-.]+|-+$/g, '')
  return { name: `${base || 'log'}.${ending}`, type, data: (await collect(parts, createBreath(signal))).toString('base64') }
}

async function collect(parts: Iterable<string | Uint8Array>, breath: Breath): Promise<Buffer> {
  const blocks: Uint8Array[] = []
  let text = ''
  const flush = () => {
    if (text !== '') blocks.push(Buffer.from(text))
    text = ''
  }
  for (const part of parts) {
    if (typeof part === 'string') text += part
    else blocks.push(part)
    if (text.length > BLOCK_CHARACTERS) flush()
    await breath()
  }
  flush()
  return Buffer.concat(blocks)
}
