import { readFileSync } from 'node:fs'
import { Option } from 'commander'
import { readChoice, readCommandLine, readWhole, repeated, underHeading, UsageError, valued } from '../../cli/options.ts'
import { isKnownEncoding } from '../../tcp/encoding.ts'
import { parseHostPort, parsePort } from '../shared/address.ts'
import { CHECKSUM_NAMES, CHECKSUMS } from '../shared/checksum.ts'
import type { Draft, EndpointSpec, FaultSpec, Rule, TlsSpec } from '../shared/spec.ts'
import type { Wanted } from '../scenario/inbox.ts'

const DEFAULT_EXPECT_MS = 10_000
const DEFAULT_IDLE_MS = 2_000
const MAX_PERIOD_MS = 86_400_000
const ENDINGS = { none: '', lf: '\n', cr: '\r', crlf: '\r\n' } as const
const ENDING_NAMES = ['none', 'lf', 'cr', 'crlf'] as const
const SHOWN = ['text', 'hex', 'both'] as const
// What is typed goes through these, where one of them is given.
const DRAFTING = ['hex', 'escapes', 'macros', 'ending', 'checksum', 'encoding'] as const satisfies readonly (keyof Values)[]

const WHAT_IS_SENT = [
  valued('--send <TEXT>', 'this, in place of what is typed or piped in'),
  valued('--send-file <FILE>', 'the bytes of a file'),
  new Option('--hex', 'what is sent is HEX, such as 01 03 0A'),
  new Option('--escapes', '\\n \\r \\t \\0 \\xHH \\uHHHH mean what they do elsewhere'),
  new Option('--macros', '{{counter}} {{counter:hex:4}} {{random:1-100}} {{time}} {{time:HH:mm:ss}}'),
  valued('--ending <E>', 'none, lf, cr or crlf behind each message', (text, name) => readChoice(text, name, ENDING_NAMES)),
  valued('--checksum <NAME>', `${CHECKSUM_NAMES.join(', ')}: behind each message`, (text, name) => readChoice(text, name, CHECKSUM_NAMES)),
  valued('--encoding <NAME>', 'utf8 (default), gbk, gb18030, latin1 ... in both directions', readEncoding),
  valued('--every <MS>', 'send again and again', (text, name) => readWhole(text, name, [10, MAX_PERIOD_MS])),
  valued('--count <N>', 'with --every: so many times (default: until it ends)', (text, name) => readWhole(text, name, [0, 1e9])),
  repeated('--reply <RE=>TEXT>', 'answer what fits a regular expression (RE2); $1 is what it captured. Several are tried in turn'),
  valued('--split <N>', 'send in pieces of N bytes', (text, name) => readWhole(text, name, [1, 65_536])),
  valued('--delay <MS>', 'send late', (text, name) => readWhole(text, name, [0, 60_000])),
]
const WHEN_IT_ENDS = [
  repeated('--expect <TEXT>', 'once this has come, with exit code 0; several in turn'),
  repeated('--expect-hex <HEX>', 'the same for bytes; ?? is any byte'),
  repeated('--expect-regex <RE>', 'the same for a regular expression (RE2)'),
  valued('--until <TEXT>', 'once this has come, and everything that is expected'),
  valued('--until-hex <HEX>', 'the same for bytes'),
  valued(
    '--for <SECONDS>',
    'after so long at the latest (default: 10 with --expect); exit code 1 when what is expected has not come',
    readSeconds,
  ),
  valued('--idle <SECONDS>', 'in a pipe: so long after the last byte, once the input has ended (default: 2)', readSeconds),
  new Option('--half-close', 'tell the peer when the input has ended'),
  new Option('--keep', 'listen: go on when a peer has left'),
]
const ELSE = [
  valued('--show <WHAT>', 'how bytes are shown: text (default), hex or both', (text, name) => readChoice(text, name, SHOWN)),
  valued('--export <FILE>', 'the log at the end, as .txt, .csv, .hex, .pcapng or .json (an importable flow)'),
  new Option('--tls', 'TLS, with the authorities of this machine'),
  valued('--tls-ca <FILE>', 'the authority that signs certificates'),
  valued('--tls-cert <FILE>', 'own certificate'),
  valued('--tls-key <FILE>', 'its key'),
  valued('--servername <NAME>', 'the name that the certificate has to be made for'),
  new Option('--tls-any', 'any certificate'),
  valued('--local <ADDRESS>', 'own address'),
  valued('--reconnect <SECONDS>', 'connect: again when it breaks', readSeconds),
  new Option('--broadcast', 'udp: to broadcast addresses'),
]
const OF_ALL = [new Option('--quiet', 'nothing but bytes')]
const OF_RUN = [
  valued('--junit <FILE>', 'results for CI'),
  repeated('--set <NAME=VALUE>', "a variable of the file, before the environment's", readVariable),
]

const namesOf = (options: readonly Option[]) => options.map(({ long }) => (long ?? '').slice(2))
// Those of a scenario are taken, and of no use to the others.
const TALK = namesOf([...WHAT_IS_SENT, ...WHEN_IT_ENDS, ...ELSE, ...OF_ALL, ...OF_RUN])
const COMMANDS = {
  connect: { description: 'TCP client', operands: 'HOST:PORT', takes: TALK },
  listen: { description: 'TCP server', operands: 'PORT', takes: TALK },
  udp: { description: 'datagrams to there; with :PORT those that come here', operands: 'HOST:PORT', takes: TALK },
  tap: { description: 'between a device and its target', operands: 'PORT HOST:PORT', takes: TALK },
  run: { description: 'play scenario files', operands: 'FILE.yaml ...', takes: namesOf([...OF_ALL, ...OF_RUN]) },
}
const AFTER = `From a checkout: npm run assistant -- <command> [options].
On a terminal: type lines, /help shows what else. In a pipe: bytes in, bytes out.

Exit code 0: done, and what was expected came; 1: it did not, or nobody was connected;
2: wrong usage or scenario file.`

export type CommandName = keyof typeof COMMANDS

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

type Values = {
  send?: string
  sendFile?: string
  hex?: true
  escapes?: true
  macros?: true
  ending?: (typeof ENDING_NAMES)[number]
  checksum?: (typeof CHECKSUM_NAMES)[number]
  encoding?: string
  every?: number
  count?: number
  reply?: string[]
  split?: number
  delay?: number
  expect?: string[]
  expectHex?: string[]
  expectRegex?: string[]
  until?: string
  untilHex?: string
  for?: number
  idle?: number
  halfClose?: true
  keep?: true
  show?: Talk['show']
  export?: string
  tls?: true
  tlsCa?: string
  tlsCert?: string
  tlsKey?: string
  servername?: string
  tlsAny?: true
  local?: string
  reconnect?: number
  broadcast?: true
  quiet?: true
  junit?: string
  set?: [string, string][]
}

/** @throws UsageError; undefined: help was asked for and is written */
export function readArguments(args: readonly string[]): Talk | Run | undefined {
  const options = [
    ...underHeading('What is sent', WHAT_IS_SENT),
    ...underHeading('When it ends', WHEN_IT_ENDS),
    ...underHeading('Else', [...ELSE, ...OF_ALL]),
    ...underHeading('Of run', OF_RUN),
  ]
  const line = readCommandLine<CommandName, Values>({ name: 'assistant', commands: COMMANDS, options, after: AFTER }, args)
  if (line === undefined) return undefined
  const { command, operands, values } = line
  return command === 'run' ? readRun(values, operands) : readTalk(command, values, operands)
}

function readRun({ junit, set = [], quiet }: Values, files: string[]): Run {
  if (files.length === 0) throw new UsageError('run needs a scenario file, such as: assistant run examples/tcp-response.yaml')
  return { command: 'run', files, junit, variables: Object.fromEntries(set), quiet: quiet === true }
}

function readTalk(command: Talk['command'], values: Values, operands: string[]): Talk {
  const spec = readSpec(command, values, operands)
  const draft = readDraft(values)
  const expected = readExpected(values)
  const { every, count = 0, send, split, delay } = values
  if (every !== undefined && send === undefined) throw new UsageError('--every needs --send: what to send again and again')
  if (values.hex && values.escapes) throw new UsageError('--hex and --escapes exclude each other')
  return {
    command,
    spec,
    draft,
    drafted: DRAFTING.some((name) => values[name] !== undefined),
    send,
    sendFile: values.sendFile,
    timer: every === undefined ? undefined : { periodMs: every, count },
    forMs: values.for ?? (expected.length > 0 ? DEFAULT_EXPECT_MS : undefined),
    expected,
    idleMs: values.idle ?? DEFAULT_IDLE_MS,
    halfClose: values.halfClose === true,
    keep: values.keep === true,
    quiet: values.quiet === true,
    show: values.show ?? 'text',
    exportTo: values.export,
    rules: (values.reply ?? []).map((reply) => readRule(reply, draft)),
    faults: { ...(split !== undefined && { splitBytes: split }), ...(delay !== undefined && { delayMs: delay }) },
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
      const { reconnect: reconnectMs } = values
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
  const files = { ca: values.tlsCa, cert: values.tlsCert, key: values.tlsKey }
  const given = Object.entries(files).filter((entry): entry is [string, string] => entry[1] !== undefined)
  if (!values.tls && given.length === 0 && !values.tlsAny) return undefined
  const read = Object.fromEntries(given.map(([name, file]) => [name, readFile(file, `--tls-${name}`)]))
  return {
    ...read, // A server asks for certificates where it is told whose to take.
    verify: server ? files.ca !== undefined : values.tlsAny !== true,
    ...(values.servername !== undefined && { servername: values.servername }),
  }
}

function readDraft({ encoding = 'utf8', ending = 'none', checksum, ...values }: Values): Omit<Draft, 'text'> {
  return {
    mode: values.hex ? 'hex' : 'text',
    encoding,
    escapes: values.escapes === true,
    ending: ENDINGS[ending],
    macros: values.macros === true,
    ...(checksum && { checksum: { name: checksum, order: CHECKSUMS[checksum].order } }),
  }
}

function readEncoding(text: string, name: string): string {
  if (isKnownEncoding(text)) return text
  throw new UsageError(`${name} "${text}" is not known: utf8, gbk, gb18030, latin1 and others are`)
}

function readExpected({ expect = [], expectHex = [], expectRegex = [], until, untilHex }: Values): Wanted[] {
  const all = (by: Wanted['by'], wanted: readonly string[]) => wanted.map((text) => ({ by, text }))
  return [
    ...all('text', expect),
    ...all('hex', expectHex),
    ...all('regex', expectRegex),
    ...all('text', until === undefined ? [] : [until]),
    ...all('hex', untilHex === undefined ? [] : [untilHex]),
  ]
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

function readVariable(text: string, option: string): [string, string] {
  const [, name, value] = /^(\w+)=(.*)$/s.exec(text) ?? []
  if (name === undefined) throw new UsageError(`${option} "${text}": allowed is NAME=VALUE`)
  return [name, value!]
}

function readFile(path: string, option: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    throw new UsageError(`${option} ${path} cannot be read: ${(error as Error).message}`)
  }
}
