import { encodeText } from '../../tcp/encoding.ts'
import { TcpError } from '../../tcp/errors.ts'
import { parseHex } from '../../text/hex.ts'

/** What a string means: characters in an encoding, or bytes in Base64 or hex digits. */
export type TextForm = { form: 'text' | 'base64' | 'hex'; encoding: string }

/**
 * The bytes of a payload: buffers as they are; strings by their form; numbers and booleans as text. Undefined for a payload that sends nothing.
 * @throws TcpError for values that have no bytes, and for text that should be hex digits and is not
 */
export function toBytes(payload: unknown, { form, encoding }: TextForm): Buffer | undefined {
  if (payload === undefined || payload === null) return undefined
  if (Buffer.isBuffer(payload)) return payload
  if (payload instanceof Uint8Array) return Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength)
  switch (typeof payload) {
    case 'string':
      return form === 'base64' ? Buffer.from(payload, 'base64') : form === 'hex' ? fromHex(payload) : encodeText(payload, encoding)
    case 'number':
    case 'boolean':
    case 'bigint':
      return encodeText(String(payload), encoding)
    default:
      throw new TcpError(
        'PAYLOAD',
        `a payload of type ${nameOf(payload)} cannot be sent over TCP: make it a string or a buffer, for example with a json node`,
      )
  }
}

function fromHex(digits: string): Buffer {
  const parsed = parseHex(digits)
  if ('bytes' in parsed) return Buffer.from(parsed.bytes.buffer)
  const { at, text } = parsed.error
  throw new TcpError(
    'PAYLOAD',
    `the payload is not pairs of hex digits such as "01 03 0A": ${JSON.stringify(text)} stands at character ${at + 1}`,
  )
}

function nameOf(payload: unknown): string {
  if (Array.isArray(payload)) return 'array'
  return typeof payload === 'object' ? (payload?.constructor?.name ?? 'object').replace(/^Object$/, 'object') : typeof payload
}
