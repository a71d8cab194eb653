// Checks of values, with messages in the editor's language. Runs in the browser, beside dialog.ts.

import { readTypedBytes } from '../../text/typed-bytes.ts'

export type Value = string | boolean
/** A property as the open dialog shows it, else as the node has it. `usetls`: whether TLS is on. */
export type Get = (name: string) => Value
/** Why a value cannot be used, or undefined when it can. */
export type Check = (text: string, get: Get) => string | undefined

declare const RED: { _: (key: string, values?: Record<string, unknown>) => string }

export const MODULE = 'node-red-tcp-nodes'
export const SHARED_TEXTS = `${MODULE}/tcp-in:shared.`

const shared = (key: string, values?: Record<string, unknown>) => RED._(SHARED_TEXTS + key, values)

/** `${NAME}`: Node-RED puts the variable's value in its place when the flow starts. */
export function isVariable(text: string): boolean {
  return /^\$(?:\{[^}\s]+\}|\([^)\s]+\))$/.test(text.trim())
}

export const checks = {
  whole(min: number, max?: number): Check {
    return (text) => {
      const number = Number(text)
      if (Number.isInteger(number) && number >= min && number <= (max ?? Number.MAX_SAFE_INTEGER)) return undefined
      return max === undefined ? shared('error.atLeast', { min }) : shared('error.whole', { min, max })
    }
  },
  port: ((text) => {
    if (text.trim() === '') return shared('error.noPort')
    const port = Number(text)
    return Number.isInteger(port) && port >= 1 && port <= 65535 ? undefined : shared('error.port')
  }) satisfies Check,
  needed: ((text) => (text === '' ? shared('error.needed') : undefined)) satisfies Check,
  address: ((text) => (bitsOf(text.replace(/%\w+$/, '')) ? undefined : shared('error.address'))) satisfies Check,
  addressList: ((text) => {
    const bad = text.split(/[\s,]+/).find((entry) => entry !== '' && !isNetwork(entry))
    return bad === undefined ? undefined : shared('error.network', { entry: bad })
  }) satisfies Check,
  /** Bytes as the runtime takes them: `0x0D0A`, `0D 0A`, `\x0D`, or text; digits that could be both are refused. */
  bytes: ((text) => {
    const read = readTypedBytes(text)
    return 'bytes' in read || read.mistake === 'empty' ? undefined : shared(`error.${read.mistake}`, { text })
  }) satisfies Check,
  encoding: ((text) =>
    /^(?:base64|hex|utf-?7(?:-imap)?|cesu-?8)$/i.test(text) || !/^[\w.:-]+$/.test(text)
      ? shared('error.encoding')
      : undefined) satisfies Check,
}

/** How many bits an IP address has; 0 for other text. */
function bitsOf(address: string): number {
  const bytes = address.split('.')
  if (bytes.length === 4 && bytes.every((byte) => /^(?:0|[1-9]\d{0,2})$/.test(byte) && Number(byte) <= 255)) return 32
  if (!/^[0-9a-f:.]+$/i.test(address) || !address.includes(':')) return 0
  // The browser's parser of addresses knows all spellings.
  return URL.canParse(`http://[${address}]/`) ? 128 : 0
}

function isNetwork(entry: string): boolean {
  const [, address = '', length] = /^([^/]+)(?:\/(\d{1,3}))?$/.exec(entry) ?? []
  const bits = bitsOf(address)
  return bits > 0 && Number(length ?? 0) <= bits
}
