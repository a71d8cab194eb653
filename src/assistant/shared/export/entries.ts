// What all exports need to know of a log.
import { textOf } from '../pattern.ts'
import type { LogEntry } from '../protocol.ts'
import type { Notice } from '../notice.ts'

/** Whose log it is. Texts for notes are the reader's: the page's or the command line's language. */
export type ExportContext = {
  name: string
  kind: 'tcp-client' | 'tcp-server' | 'udp' | 'tap'
  local?: { address: string; port: number }
  describe?: (note: Notice) => string
  decode?: (bytes: Uint8Array) => string
}

export function describeNote(note: Notice, context: ExportContext): string {
  if (context.describe) return context.describe(note)
  const params = Object.entries(note.params).map(([name, value]) => `${name}=${value}`)
  return [note.code, ...params].join(' ')
}

export function decodeBytes(bytes: Uint8Array, context: ExportContext): string {
  return (context.decode ?? textOf)(bytes)
}

/** `2026-11-23T07:00:00.123456Z` from microseconds */
export function formatTime(microseconds: number): string {
  const rest = ((microseconds % 1000) + 1000) % 1000
  return `${new Date(Math.floor(microseconds / 1000)).toISOString().slice(0, -1)}${String(Math.floor(rest)).padStart(3, '0')}Z`
}

export const ARROWS: Record<LogEntry['dir'], string> = { rx: '<-', tx: '->', note: '--' }

/** Text on one line, without anything that a terminal or an editor would act on. */
export function visible(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (character) => NAMED[character] ?? `\\u{${character.codePointAt(0)!.toString(16)}}`)
}

const NAMED: Record<string, string> = { '\r': '\\r', '\n': '\\n', '\t': '\\t', '\0': '\\0' }
