import { readFileSync } from 'node:fs'
import { isIP } from 'node:net'
import { dirname, join } from 'node:path'
import { parseArgs } from 'node:util'
import { unescapeLoosely } from '../../text/escapes.ts'
import { parseRanges, type Policy } from '../docker/policy.ts'

const DEFAULT_PROJECT = 'node-red-tcp'
const DEFAULT_MAX = 50
const MAX_FORWARDERS = 1000
const DEFAULT_TIMEOUT_S = 3
const MAX_TIMEOUT_S = 600

export const USAGE = `Usage: npm run ports -- <command> [options]

  list               every port of the flows: state, where it is published, clients, who declares it
  doctor             the same, and for every problem what mends it
  publish PORT       lead a port of this machine to that port of Node-RED, while everything runs on
  unpublish PORT     take that away again
  watch              publish what flows listen on, and close what they do not, until it is ended
  check PORT         connect from this machine and say where a byte gets stuck

Options
  --project NAME     compose project (default COMPOSE_PROJECT_NAME, else as in docker-compose.yml)
  --status URL       Node-RED's status port, where it is not published on this machine
  --json             list, doctor, check: JSON in place of a table
  --bind ADDRESS     publish, watch: address of this machine (default that of TCP_PORTS)
  --host-port PORT   publish: another port of this machine
  --allow-privileged watch: ports below 1024 too
  --deny A-B,C       watch: never these ports
  --max N            watch: at most so many forwarders (default ${DEFAULT_MAX})
  --send TEXT        check: send this; \\r \\n \\t \\0 \\xNN mean what they do elsewhere
  --expect TEXT      check: this has to come back
  --timeout SECONDS  check: how long to wait for it (default ${DEFAULT_TIMEOUT_S})

Exit code 0: fine; 1: something needs mending; 2: wrong usage, or Docker or Node-RED not reached.`

/** What was typed is not right; the message says what would be. */
export class UsageError extends Error {}

export const COMMANDS = ['list', 'doctor', 'publish', 'unpublish', 'watch', 'check'] as const
export type CommandName = (typeof COMMANDS)[number]

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

/** Which options beside project, status and help a command takes. */
const OPTIONS: Record<CommandName, readonly string[]> = {
  list: ['json'],
  doctor: ['json'],
  publish: ['bind', 'host-port'],
  unpublish: [],
  watch: ['bind', 'allow-privileged', 'deny', 'max'],
  check: ['json', 'send', 'expect', 'timeout'],
}
const WITH_PORT = new Set<CommandName>(['publish', 'unpublish', 'check'])

/** @throws UsageError; undefined: help is asked for */
export function readArguments(args: string[]): Arguments | undefined {
  const { values, positionals } = parse(args)
  const [command, port, ...rest] = positionals
  if (values.help || command === undefined) return undefined
  if (!isCommand(command)) throw new UsageError(`unknown command "${command}"; there are: ${COMMANDS.join(', ')}`)
  const strange = Object.keys(values).find((name) => !['project', 'status', ...OPTIONS[command]].includes(name))
  if (strange !== undefined) throw new UsageError(`${command} has no option --${strange}`)
  const surplus = WITH_PORT.has(command) ? rest[0] : port
  if (surplus !== undefined) throw new UsageError(`${command}: "${surplus}" is too much`)
  if (WITH_PORT.has(command) && port === undefined)
    throw new UsageError(`${command} needs a port, such as: npm run ports -- ${command} 15502`)
  return {
    command,
    port: port === undefined ? undefined : readPort(port, 'port'),
    project: values.project ?? (process.env.COMPOSE_PROJECT_NAME || readProjectName()),
    status: values.status === undefined ? undefined : readUrl(values.status),
    json: values.json === true,
    bind: values.bind === undefined ? undefined : readAddress(values.bind),
    hostPort: values['host-port'] === undefined ? undefined : readPort(values['host-port'], '--host-port'),
    policy: {
      allowPrivileged: values['allow-privileged'] === true,
      deny: values.deny === undefined ? [] : readDeny(values.deny),
      max: values.max === undefined ? DEFAULT_MAX : readNumber(values.max, { name: '--max', from: 1, to: MAX_FORWARDERS }),
      bind: values.bind === undefined ? undefined : readAddress(values.bind),
    },
    send: values.send === undefined ? undefined : readBytes(values.send),
    expect: values.expect === undefined ? undefined : readBytes(values.expect),
    timeoutMs: 1000 * readNumber(values.timeout ?? String(DEFAULT_TIMEOUT_S), { name: '--timeout', from: 1, to: MAX_TIMEOUT_S }),
  }
}

function parse(args: string[]) {
  const text = { type: 'string' } as const
  const flag = { type: 'boolean' } as const
  try {
    return parseArgs({
      args,
      allowPositionals: true,
      options: {
        ...{ project: text, status: text, bind: text, 'host-port': text, deny: text, max: text, send: text, expect: text, timeout: text },
        ...{ json: flag, 'allow-privileged': flag, help: { type: 'boolean', short: 'h' } },
      },
    })
  } catch (error) {
    throw new UsageError((error as Error).message)
  }
}

function isCommand(name: string): name is CommandName {
  return (COMMANDS as readonly string[]).includes(name)
}

function readPort(text: string, name: string): number {
  return readNumber(text, { name, from: 1, to: 65_535 })
}

function readNumber(text: string, { name, from, to }: { name: string; from: number; to: number }): number {
  const number = /^\d{1,9}$/.test(text) ? Number(text) : NaN
  if (!(number >= from && number <= to)) throw new UsageError(`${name} "${text}": allowed is a whole number from ${from} to ${to}`)
  return number
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
