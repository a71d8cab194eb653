import { encodeText } from '../../tcp/encoding.ts'
import { TcpError } from '../../tcp/errors.ts'

/**
 * The bytes of a payload: buffers as they are; text, and numbers and booleans as text, in the encoding. Undefined for a payload that sends nothing.
 * @throws TcpError for what has no bytes of its own
 */
export function toBytes(payload: unknown, { base64, encoding }: { base64: boolean; encoding: string }): Buffer | undefined {
  if (payload === undefined || payload === null) return undefined
  if (Buffer.isBuffer(payload)) return payload
  if (payload instanceof Uint8Array) return Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength)
  switch (typeof payload) {
    case 'string':
      return base64 ? Buffer.from(payload, 'base64') : encodeText(payload, encoding)
    case 'number':
    case 'boolean':
    case 'bigint':
      return encodeText(String(payload), encoding)
    default:
      throw new TcpError(
        'PAYLOAD',
        `a payload of type ${nameOf(payload)} can not be sent over TCP: make it a string or a buffer, for example with a json node`,
      )
  }
}

function nameOf(payload: unknown): string {
  if (Array.isArray(payload)) return 'array'
  return typeof payload === 'object' ? (payload?.constructor?.name ?? 'object').replace(/^Object$/, 'object') : typeof payload
}
