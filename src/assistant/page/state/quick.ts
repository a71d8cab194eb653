import { EMPTY_DRAFT, type QuickCommand } from './settings.ts'
import { CHECKSUM_NAMES } from '../../shared/checksum.ts'
import type { ChecksumName, ChecksumSpec, Draft } from '../../shared/spec.ts'

const FORMAT = 'node-red-tcp quick commands'
const MOST = 1000

export function quickCommandsFile(commands: readonly QuickCommand[]): string {
  return `${JSON.stringify({ format: FORMAT, commands }, null, 2)}\n`
}

/** The commands of an exported file, undefined when it is none. Whatever else stands in it is left out. */
export function parseQuickCommands(text: string): QuickCommand[] | undefined {
  let file: unknown
  try {
    file = JSON.parse(text)
  } catch {
    return undefined
  }
  if (!isRecord(file) || file.format !== FORMAT || !Array.isArray(file.commands)) return undefined
  const commands = file.commands.slice(0, MOST).map(readCommand)
  return commands.every((command) => command !== undefined) ? commands : undefined
}

function readCommand(value: unknown): QuickCommand | undefined {
  if (!isRecord(value) || typeof value.name !== 'string' || !isRecord(value.draft)) return undefined
  const draft = readDraft(value.draft)
  return draft && { name: value.name.slice(0, 60), draft }
}

function readDraft(value: Record<string, unknown>): Draft | undefined {
  const { mode, text, encoding, escapes, ending, macros } = { ...EMPTY_DRAFT, ...value }
  if ((mode !== 'text' && mode !== 'hex') || typeof text !== 'string' || typeof encoding !== 'string') return undefined
  if (ending !== '' && ending !== '\r' && ending !== '\n' && ending !== '\r\n') return undefined
  const checksum = readChecksum(value.checksum)
  return { mode, text, encoding, escapes: escapes === true, ending, macros: macros === true, ...(checksum && { checksum }) }
}

function readChecksum(value: unknown): ChecksumSpec | undefined {
  if (!isRecord(value) || !CHECKSUM_NAMES.includes(value.name as ChecksumName)) return undefined
  const { from, to } = value
  return {
    name: value.name as ChecksumName,
    order: value.order === 'little' ? 'little' : 'big',
    ...(Number.isInteger(from) && { from: from as number }),
    ...(Number.isInteger(to) && { to: to as number }),
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}
