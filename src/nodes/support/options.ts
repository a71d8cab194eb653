import { isIP } from 'node:net'
import { parseAddressList } from '../../tcp/access-list.ts'
import { parseBytes, parseDelimiter } from '../../tcp/delimiter.ts'
import { isKnownEncoding } from '../../tcp/encoding.ts'
import type { Framing } from '../../tcp/framing/framing.ts'
import { createIntake } from '../../tcp/intake/create-intake.ts'
import type { DataType, IntakeOptions } from '../../tcp/intake/intake.ts'
import type { ListenerSettings } from '../../tcp/listener.ts'
import type { WriteLimit } from '../../tcp/outbox.ts'
import type { FilledDefaults } from './defaults.ts'
import type { TextForm } from './payload.ts'

/** Properties as the flow file has them: numbers may be text, and `${NAME}` was replaced by Node-RED where it is set. */
export type Properties = Record<string, string | number | boolean | undefined>

const MS_PER_SECOND = 1000

/** A whole number; empty means the default. */
export function readNumber(properties: Properties, name: string, options: { default: number; min: number; max?: number }): number {
  const value = properties[name]
  if (value === undefined || value === null || value === '') return options.default
  const { min, max = Number.MAX_SAFE_INTEGER } = options
  const number = Number(value)
  if (!Number.isInteger(number) || number < min || number > max) {
    throw new Error(`${name}: ${show(value)} is not a whole number from ${min}${options.max === undefined ? '' : ` to ${max}`}`)
  }
  return number
}

/** No port is set to listen on or to connect to. */
export class PortError extends Error {}

/** The value set as a port is not one. */
export class BadPortError extends PortError {
  readonly badPort: string

  constructor(badPort: string) {
    super(`${show(badPort)} is not a port number: choose one from 1 to 65535`)
    this.badPort = badPort
  }
}

/** A port to listen on or to connect to. */
export function readPort(value: string | number | boolean | undefined): number {
  const text = String(value ?? '').trim()
  const variable = /^\$\{(.+)\}$/.exec(text)?.[1]
  if (variable) throw new PortError(`the port is taken from the environment variable ${variable}, which is not set`)
  if (text === '') throw new PortError('no port is set: choose one from 1 to 65535')
  const port = Number(text)
  if (!Number.isInteger(port) || port < 1 || port > 65535) throw new BadPortError(text)
  return port
}

/** How received bytes become payloads, from the properties of a tcp in node. */
export function readIntake(properties: Properties, defaults: FilledDefaults): IntakeOptions {
  const dataType = readDataType(properties.datatype)
  const encoding = readEncoding(properties)
  const single = properties.datamode === 'single'
  const maxFrame = readNumber(properties, 'maxFrame', { default: single ? defaults.maxSingle : defaults.maxFrame, min: 1 })
  const framing: Framing = single ? { kind: 'single' } : readFraming(properties, { dataType, encoding, maxFrame })
  const intake = { dataType, encoding, framing, maxFrame }
  // Invalid framing is to fail now, not at the first connection.
  createIntake(intake, () => {}).stop()
  return intake
}

/** The name of a text encoding; UTF-8 when none is set. */
export function readEncoding({ encoding }: Properties): string {
  const name = typeof encoding === 'string' && encoding !== '' ? encoding : 'utf8'
  if (!isKnownEncoding(name))
    throw new Error(`encoding: ${show(name)} is not known; there are utf8, gb18030, gbk, big5, latin1, utf-16le and others`)
  return name
}

/** What strings mean to a tcp out node. */
export function readTextForm(properties: Properties): TextForm {
  const encoding = readEncoding(properties)
  const { base64, textForm = '' } = properties
  if (textForm !== '' && textForm !== 'hex') throw new Error(`textForm: ${show(textForm)} is not known; there is hex`)
  return { encoding, form: base64 === true ? 'base64' : textForm || 'text' }
}

function readDataType(datatype: unknown): DataType {
  if (datatype === 'utf8') return 'text'
  if (datatype === 'base64' || datatype === 'hex') return datatype
  return 'buffer'
}

function readFraming(properties: Properties, { dataType, encoding, maxFrame }: Omit<IntakeOptions, 'framing'>): Framing {
  const keep = properties.trim === true
  switch (properties.framing) {
    case undefined:
    case '': {
      // As in Node-RED's own node: a delimiter counts for strings only; one that is hidden in the dialog is not used.
      const newline = dataType === 'text' ? stockDelimiter(properties.newline) : ''
      return newline === '' ? { kind: 'stream' } : { kind: 'delimiter', delimiter: parseDelimiter(newline, encoding), keep }
    }
    case 'none':
      return { kind: 'stream' }
    case 'delimiter': {
      const text = stockDelimiter(properties.newline)
      if (text === '') throw new Error('framing by delimiter: no delimiter is set')
      return { kind: 'delimiter', delimiter: parseDelimiter(text, encoding), keep }
    }
    case 'fixed':
      if (!properties.frameLength)
        throw new Error(`frameLength: ${show(properties.frameLength)} is not a whole number from 1; set the length of a frame`)
      return { kind: 'fixed', length: readNumber(properties, 'frameLength', { default: 1, min: 1, max: maxFrame }) }
    case 'length': {
      const size = readNumber(properties, 'lengthSize', { default: 2, min: 1, max: 4 })
      if (size === 3) throw new Error('lengthSize: 3 is not one of 1, 2, 4')
      return {
        kind: 'length',
        offset: readNumber(properties, 'lengthOffset', { default: 0, min: 0, max: 65535 }),
        size: size as 1 | 2 | 4,
        endian: properties.lengthEndian === 'little' ? 'little' : 'big',
        adjust: readNumber(properties, 'lengthAdjust', { default: 0, min: -65535, max: 65535 }),
        keepHeader: properties.lengthHeader !== false,
        ...(text(properties.lengthStart) === '' ? {} : { start: parseBytes(text(properties.lengthStart)) }),
      }
    }
    case 'gap':
      return { kind: 'gap', ms: readNumber(properties, 'frameGap', { default: 20, min: 1, max: 600_000 }) }
    case 'marker':
      return {
        kind: 'marker',
        start: parseBytes(text(properties.frameStart)),
        end: parseBytes(text(properties.frameEnd)),
        keep,
        ...(properties.trailer ? { trailer: readNumber(properties, 'trailer', { default: 0, min: 0, max: 65535 }) } : {}),
      }
    default:
      throw new Error(`framing: ${show(properties.framing)} is not one of none, delimiter, fixed, length, gap, marker`)
  }
}

function stockDelimiter(newline: unknown): string {
  return typeof newline === 'string' ? newline : ''
}

/** Limits and socket options of a node that listens. */
export function readListenerSettings(properties: Properties, defaults: FilledDefaults): ListenerSettings {
  const proxyTrusted = text(properties.proxyTrusted) || defaults.proxyTrusted
  return {
    maxConnections: readNumber(properties, 'maxConnections', { default: defaults.maxConnections, min: 0 }),
    maxPerAddress: readNumber(properties, 'maxPerAddress', { default: defaults.maxPerAddress, min: 0 }),
    allow: readAddressList(properties.allow),
    deny: readAddressList(properties.deny),
    proxyTrusted: readAddressList(proxyTrusted),
    ...readSocketSettings(properties, defaults),
  }
}

/** Socket options that listening and connecting nodes share. */
export function readSocketSettings(properties: Properties, defaults: FilledDefaults) {
  const idleSeconds = readNumber(properties, 'idleTimeout', { default: -1, min: 0, max: 2_000_000 })
  const keepAliveSeconds = readNumber(properties, 'keepAlive', { default: -1, min: 0, max: 2_000_000 })
  return {
    idleMs: idleSeconds === -1 ? defaults.idleMs : idleSeconds * MS_PER_SECOND,
    keepAliveMs: keepAliveSeconds === -1 ? defaults.keepAliveMs : keepAliveSeconds * MS_PER_SECOND,
    noDelay: properties.noDelay !== false,
  }
}

/** The address to listen on; undefined: all. */
export function readBind({ bind }: Properties, defaults: FilledDefaults): string | undefined {
  const address = text(bind) || defaults.bind
  if (address === undefined) return undefined
  if (isIP(address) === 0) throw new Error(`bind: ${show(address)} is not an IP address of this machine`)
  return address
}

/** How much may wait for a peer that reads slowly. */
export function readWriteLimit(properties: Properties, defaults: FilledDefaults): WriteLimit {
  return {
    bytes: readNumber(properties, 'writeBuffer', { default: defaults.writeBuffer, min: 1 }),
    disconnect: properties.slowPeer !== 'error',
  }
}

/** How long a half-closed connection stays open for replies, in milliseconds. */
export function readLinger(properties: Properties, defaults: FilledDefaults): number {
  return readNumber(properties, 'linger', { default: defaults.lingerMs, min: 0, max: 600_000 })
}

function readAddressList(value: unknown) {
  const list = text(value)
  return list === '' ? undefined : parseAddressList(list)
}

function text(value: unknown): string {
  return typeof value === 'string' ? value.trim() : ''
}

function show(value: unknown): string {
  return JSON.stringify(value)
}
