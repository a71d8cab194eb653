import { readFileSync } from 'node:fs'
import { isIP } from 'node:net'
import { dirname, join } from 'node:path'
import { Option } from 'commander'
import { readCommandLine, readWhole, UsageError, valued, type CommandSpec } from '../../cli/options.ts'
import { unescapeLoosely } from '../../text/escapes.ts'
import { parseRanges, type Policy } from '../docker/policy.ts'

const DEFAULT_PROJECT = 'node-red-tcp'
const DEFAULT_MAX = 50
const MAX_FORWARDERS = 1000
const DEFAULT_TIMEOUT_S = 3
const MAX_TIMEOUT_S = 600

const EVERYWHERE = ['project', 'status']
const COMMANDS = {
  list: { description: 'every port of the flows: state, where it is published, clients, declared by', takes: [...EVERYWHERE, 'json'] },
  doctor: { description: 'the same, and for every problem what mends it', takes: [...EVERYWHERE, 'json'] },
  publish: {
    description: 'lead a port of this machine to that port of Node-RED, while everything runs on',
    operands: 'PORT',
    takes: [...EVERYWHERE, 'bind', 'host-port'],
  },
  unpublish: { description: 'take that away again', operands: 'PORT', takes: EVERYWHERE },
  watch: {
    description: 'publish what flows listen on, and close what they do not, until it is ended',
    takes: [...EVERYWHERE, 'bind', 'allow-privileged', 'deny', 'max'],
  },
  check: {
    description: 'connect from this machine and say where a byte gets stuck',
    operands: 'PORT',
    takes: [...EVERYWHERE, 'json', 'send', 'expect', 'timeout'],
  },
} satisfies Record<string, CommandSpec>

const OPTIONS = [
  valued('--project <NAME>', 'compose project (default: COMPOSE_PROJECT_NAME, else as in docker-compose.yml)'),
  valued('--status <URL>', "Node-RED's status port, where it is not published on this machine", readUrl),
  new Option('--json', 'JSON in place of a table'),
  valued('--bind <ADDRESS>', 'address of this machine (default: that of TCP_PORTS)', readAddress),
  valued('--host-port <PORT>', 'another port of this machine', readPort),
  new Option('--allow-privileged', 'ports below 1024 too'),
  valued('--deny <A-B,C>', 'never these ports', readDeny),
  valued('--max <N>', 'at most so many forwarders', (text, name) => readWhole(text, name, [1, MAX_FORWARDERS])).default(DEFAULT_MAX),
  valued('--send <TEXT>', 'send this; \\r \\n \\t \\0 \\xNN mean what they do elsewhere', readBytes),
  valued('--expect <TEXT>', 'this has to come back', readBytes),
  valued('--timeout <SECONDS>', 'how long to wait for it', (text, name) => readWhole(text, name, [1, MAX_TIMEOUT_S])).default(
    DEFAULT_TIMEOUT_S,
  ),
]

type Values = {
  project?: string
  status?: string
  json?: true
  bind?: string
  hostPort?: number
  allowPrivileged?: true
  deny?: Policy['deny']
  max: number
  send?: Buffer
  expect?: Buffer
  timeout: number
}

export type CommandName = keyof typeof COMMANDS

export type Arguments = {
  command: CommandName
  port: number | undefined
  project: string
  status: string | undefined
  json: boolean
  bind: string | undefined
  hostPort: number | undefined
  policy: Policy
  send: Buffer | undefined
  expect: Buffer | undefined
  timeoutMs: number
}

/** @throws UsageError; undefined: help was asked for and is written */
export function readArguments(args: readonly string[]): Arguments | undefined {
  const line = readCommandLine<CommandName, Values>(
    {
      name: 'npm run ports --',
      commands: COMMANDS,
      options: OPTIONS,
      after: 'Exit code 0: fine; 1: something needs mending; 2: wrong usage, or Docker or Node-RED not reached.',
    },
    args,
  )
  if (line === undefined) return undefined
  const { command, operands, values } = line
  const takesPort = 'operands' in COMMANDS[command]
  const [port] = operands
  const surplus = operands[takesPort ? 1 : 0]
  if (surplus !== undefined) throw new UsageError(`${command}: "${surplus}" is too much`)
  if (takesPort && port === undefined) throw new UsageError(`${command} needs a port, such as: npm run ports -- ${command} 15502`)
  const { bind, hostPort, status, send, expect, max, deny = [] } = values
  return {
    command,
    port: port === undefined ? undefined : readPort(port, 'port'),
    project: values.project ?? (process.env.COMPOSE_PROJECT_NAME || readProjectName()),
    status,
    json: values.json === true,
    bind,
    hostPort,
    policy: { allowPrivileged: values.allowPrivileged === true, deny, max, bind },
    send,
    expect,
    timeoutMs: 1000 * values.timeout,
  }
}

function readPort(text: string, name: string): number {
  return readWhole(text, name, [1, 65_535])
}

function readAddress(text: string): string {
  if (isIP(text) === 0) throw new UsageError(`--bind "${text}": allowed is an IP address of this machine, such as 0.0.0.0 for all`)
  return text
}

function readDeny(text: string) {
  const ranges = parseRanges(text)
  if (!ranges) throw new UsageError(`--deny "${text}": allowed are ports and ranges, such as 5000-5010,6000`)
  return ranges
}

function readUrl(text: string): string {
  if (!URL.canParse(text) || !text.startsWith('http'))
    throw new UsageError(`--status "${text}": allowed is an address such as http://127.0.0.1:1881`)
  return text.replace(/\/+$/, '')
}

function readBytes(text: string): Buffer {
  return Buffer.from(unescapeLoosely(text))
}

/** As compose reads it, where nothing else is said. */
function readProjectName(): string {
  try {
    const file = readFileSync(join(dirname(dirname(dirname(import.meta.dirname))), 'docker-compose.yml'), 'utf8')
    return /^name:\s*['"]?([\w-]+)/m.exec(file)?.[1] ?? DEFAULT_PROJECT
  } catch {
    return DEFAULT_PROJECT
  }
}
