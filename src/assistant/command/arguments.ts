import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { isKnownEncoding } from '../../tcp/encoding.ts'
import { parseHostPort, parsePort } from '../shared/address.ts'
import { CHECKSUM_NAMES, CHECKSUMS } from '../shared/checksum.ts'
import type { Draft, EndpointSpec, FaultSpec, Rule, TlsSpec } from '../shared/spec.ts'
import type { Wanted } from '../scenario/inbox.ts'
import { UsageError } from './usage.ts'

export const COMMANDS = ['connect', 'listen', 'udp', 'tap', 'run'] as const
export type CommandName = (typeof COMMANDS)[number]

const FLAGS = {
  ...texts('send', 'encoding', 'ending', 'checksum', 'every', 'count', 'for', 'until', 'until-hex', 'idle', 'local', 'show', 'export'),
  ...texts('tls-ca', 'tls-cert', 'tls-key', 'servername', 'reconnect', 'split', 'delay', 'junit', 'send-file'),
  ...switches('hex', 'escapes', 'macros', 'tls', 'tls-any', 'half-close', 'keep', 'broadcast', 'quiet'),
  expect: { type: 'string', multiple: true },
  'expect-hex': { type: 'string', multiple: true },
  'expect-regex': { type: 'string', multiple: true },
  reply: { type: 'string', multiple: true },
  set: { type: 'string', multiple: true },
  help: { type: 'boolean', short: 'h' },
} as const

const RUN_FLAGS = ['junit', 'set', 'quiet']

export type Talk = {
  command: Exclude<CommandName, 'run'>
  spec: EndpointSpec
  draft: Omit<Draft, 'text'>
  /** Typed lines go through the draft, and are not sent as they are. */
  drafted: boolean
  send: string | undefined
  sendFile: string | undefined
  timer: { periodMs: number; count: number } | undefined
  forMs: number | undefined
  expected: Wanted[]
  idleMs: number
  halfClose: boolean
  keep: boolean
  quiet: boolean
  show: 'text' | 'hex' | 'both'
  exportTo: string | undefined
  rules: Rule[]
  faults: FaultSpec
}
export type Run = { command: 'run'; files: string[]; junit: string | undefined; variables: Record<string, string>; quiet: boolean }

type Values = ReturnType<typeof parse>['values']

const DEFAULT_EXPECT_MS = 10_000
const DEFAULT_IDLE_MS = 2_000
const ENDINGS = { none: '', lf: '\n', cr: '\r', crlf: '\r\n' } as const

/** @throws UsageError; undefined: help is asked for */
export function readArguments(args: string[]): Talk | Run | undefined {
  const { values, positionals } = parse(args)
  const [command, ...rest] = positionals
  if (values.help || command === undefined) return undefined
  if (!(COMMANDS as readonly string[]).includes(command))
    throw new UsageError(`unknown command "${command}"; there are: ${COMMANDS.join(', ')}`)
  if (command === 'run') return readRun(values, rest)
  return readTalk(command as Talk['command'], values, rest)
}

function readRun(values: Values, files: string[]): Run {
  const strange = Object.keys(values).find((name) => !RUN_FLAGS.includes(name))
  if (strange !== undefined) throw new UsageError(`run has no option --${strange}; what is sent and expected stands in the file`)
  if (files.length === 0) throw new UsageError('run needs a scenario file, such as: assistant run examples/tcp-response.yaml')
  const variables = Object.fromEntries((values.set ?? []).map(readVariable))
  return { command: 'run', files, junit: values.junit, variables, quiet: values.quiet === true }
}

function readTalk(command: Talk['command'], values: Values, rest: string[]): Talk {
  const spec = readSpec(command, values, rest)
  const draft = readDraft(values)
  const expected = readExpected(values)
  const every = values.every === undefined ? undefined : readNumber(values.every, '--every', [10, 86_400_000])
  if (every !== undefined && values.send === undefined) throw new UsageError('--every needs --send: what to send again and again')
  if (values.hex && values.escapes) throw new UsageError('--hex and --escapes exclude each other')
  return {
    command,
    spec,
    draft,
    drafted: ['hex', 'escapes', 'macros', 'ending', 'checksum', 'encoding'].some((name) => name in values),
    send: values.send,
    sendFile: values['send-file'],
    timer: every === undefined ? undefined : { periodMs: every, count: readNumber(values.count ?? '0', '--count', [0, 1e9]) },
    forMs: values.for === undefined ? (expected.length > 0 ? DEFAULT_EXPECT_MS : undefined) : readSeconds(values.for, '--for'),
    expected,
    idleMs: values.idle === undefined ? DEFAULT_IDLE_MS : readSeconds(values.idle, '--idle'),
    halfClose: values['half-close'] === true,
    keep: values.keep === true,
    quiet: values.quiet === true,
    show: readChoice(values.show ?? 'text', '--show', ['text', 'hex', 'both']),
    exportTo: values.export,
    rules: (values.reply ?? []).map((reply) => readRule(reply, draft)),
    faults: {
      ...(values.split !== undefined && { splitBytes: readNumber(values.split, '--split', [1, 65_536]) }),
      ...(values.delay !== undefined && { delayMs: readNumber(values.delay, '--delay', [0, 60_000]) }),
    },
  }
}

function readSpec(command: Talk['command'], values: Values, rest: string[]): EndpointSpec {
  const [first, second] = rest
  const surplus = rest[command === 'tap' ? 2 : 1]
  if (surplus !== undefined) throw new UsageError(`${command}: "${surplus}" is too much`)
  const tls = readTls(values, command === 'listen')
  const local = values.local
  switch (command) {
    case 'connect': {
      const reconnectMs = values.reconnect === undefined ? undefined : readSeconds(values.reconnect, '--reconnect')
      const target = readTarget(first, 'connect 192.168.1.5:4001')
      return {
        kind: 'tcp-client',
        ...target,
        ...(tls && { tls }),
        ...(local !== undefined && { localHost: local }),
        ...(reconnectMs !== undefined && { reconnectMs }),
      }
    }
    case 'listen':
      return { kind: 'tcp-server', port: readPort(first, 'listen 4001'), ...(tls && { tls }), ...(local !== undefined && { host: local }) }
    case 'tap': {
      if (tls) throw new UsageError('tap passes on what it gets: it has no options for TLS')
      const { host, port } = readTarget(second, 'tap 4001 192.168.1.5:4001')
      return {
        kind: 'tap',
        port: readPort(first, 'tap 4001 192.168.1.5:4001'),
        host,
        targetPort: port,
        ...(local !== undefined && { localHost: local }),
      }
    }
    case 'udp': {
      if (tls) throw new UsageError('udp has no TLS')
      const common = {
        kind: 'udp' as const,
        ...(local !== undefined && { localHost: local }),
        ...(values.broadcast && { broadcast: true }),
      }
      const listening = /^(?:listen:|:)(\d+)$/.exec(first ?? '')?.[1]
      if (listening !== undefined) return { ...common, localPort: readPort(listening, 'udp :7000') }
      return { ...common, localPort: 0, ...readTarget(first, 'udp 127.0.0.1:7000, or udp :7000 to listen') }
    }
  }
}

function readTls(values: Values, server: boolean): TlsSpec | undefined {
  const files = { ca: values['tls-ca'], cert: values['tls-cert'], key: values['tls-key'] }
  const given = Object.entries(files).filter((entry): entry is [string, string] => entry[1] !== undefined)
  if (!values.tls && given.length === 0 && !values['tls-any']) return undefined
  const read = Object.fromEntries(given.map(([name, file]) => [name, readFile(file, `--tls-${name}`)]))
  return {
    ...read, // A server asks for certificates where it is told whose to take.
    verify: server ? files.ca !== undefined : values['tls-any'] !== true,
    ...(values.servername !== undefined && { servername: values.servername }),
  }
}

function readDraft(values: Values): Omit<Draft, 'text'> {
  const encoding = values.encoding ?? 'utf8'
  if (!isKnownEncoding(encoding)) throw new UsageError(`--encoding "${encoding}" is not known: utf8, gbk, gb18030, latin1 and others are`)
  const ending = ENDINGS[readChoice(values.ending ?? 'none', '--ending', ['none', 'lf', 'cr', 'crlf'])]
  const name = values.checksum === undefined ? undefined : readChoice(values.checksum, '--checksum', CHECKSUM_NAMES)
  return {
    mode: values.hex ? 'hex' : 'text',
    encoding,
    escapes: values.escapes === true,
    ending,
    macros: values.macros === true,
    ...(name && { checksum: { name, order: CHECKSUMS[name].order } }),
  }
}

function readExpected(values: Values): Wanted[] {
  const all = (by: Wanted['by'], wanted: string[] = []) => wanted.map((text) => ({ by, text }))
  const until = [
    ...all('text', values.until === undefined ? [] : [values.until]),
    ...all('hex', values['until-hex'] === undefined ? [] : [values['until-hex']]),
  ]
  return [...all('text', values.expect), ...all('hex', values['expect-hex']), ...all('regex', values['expect-regex']), ...until]
}

/** `ping=>pong`: a regular expression and the answer to what it fits. */
function readRule(text: string, draft: Omit<Draft, 'text'>): Rule {
  const at = text.indexOf('=>')
  if (at < 1) throw new UsageError(`--reply "${text}": allowed is PATTERN=>ANSWER, such as --reply 'ping=>pong'`)
  return {
    name: `--reply ${text.slice(0, at)}`,
    when: { by: 'regex', pattern: text.slice(0, at) },
    reply: { ...draft, text: text.slice(at + 2) },
  }
}

function readTarget(text: string | undefined, example: string) {
  const target = text === undefined ? undefined : parseHostPort(text)
  if (target === undefined)
    throw new UsageError(
      `${text === undefined ? 'an address is missing' : `"${text}" is no address`}; write HOST:PORT, such as: ${example}`,
    )
  return target
}

function readPort(text: string | undefined, example: string): number {
  const port = text === undefined ? undefined : parsePort(text)
  if (port === undefined)
    throw new UsageError(`${text === undefined ? 'a port is missing' : `"${text}" is no port`}; write 0 to 65535, such as: ${example}`)
  return port
}

function readSeconds(text: string, name: string): number {
  const seconds = /^\d+(\.\d+)?$/.test(text) ? Number(text) : NaN
  if (!(seconds >= 0 && seconds <= 86_400)) throw new UsageError(`${name} "${text}": allowed are seconds from 0 to 86400`)
  return Math.round(seconds * 1000)
}

function readNumber(text: string, name: string, [from, to]: [number, number]): number {
  const number = /^\d{1,10}$/.test(text) ? Number(text) : NaN
  if (!(number >= from && number <= to)) throw new UsageError(`${name} "${text}": allowed is a whole number from ${from} to ${to}`)
  return number
}

function readChoice<T extends string>(text: string, name: string, allowed: readonly T[]): T {
  const found = allowed.find((value) => value === text)
  if (found === undefined) throw new UsageError(`${name} "${text}": allowed are ${allowed.join(', ')}`)
  return found
}

function readVariable(text: string): [string, string] {
  const [, name, value] = /^(\w+)=(.*)$/s.exec(text) ?? []
  if (name === undefined) throw new UsageError(`--set "${text}": allowed is NAME=VALUE`)
  return [name, value!]
}

function readFile(path: string, option: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    throw new UsageError(`${option} ${path} cannot be read: ${(error as Error).message}`)
  }
}

function parse(args: string[]) {
  try {
    return parseArgs({ args, allowPositionals: true, options: FLAGS })
  } catch (error) {
    throw new UsageError((error as Error).message)
  }
}

function texts<N extends string>(...names: N[]) {
  return Object.fromEntries(names.map((name) => [name, { type: 'string' }])) as Record<N, { type: 'string' }>
}

function switches<N extends string>(...names: N[]) {
  return Object.fromEntries(names.map((name) => [name, { type: 'boolean' }])) as Record<N, { type: 'boolean' }>
}
