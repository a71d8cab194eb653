import type { Entry, LogEntry } from '../shared/protocol.ts'

/** An entry as it goes over the socket: bytes as base64. */
export function toEntry({ data, ...entry }: LogEntry): Entry {
  return data === undefined ? entry : { ...entry, data: Buffer.from(data.buffer, data.byteOffset, data.length).toString('base64') }
}
