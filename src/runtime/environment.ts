import { readFileSync } from 'node:fs'
import { isIP } from 'node:net'
import { resolve } from 'node:path'
import { z } from 'zod'
import { namesIn } from '../provisioning/sources.ts'
import { parsePublishedPorts, PUBLISHED_PORTS_FORM } from '../ports/ranges.ts'
import { parseTargets, TARGETS_FORM } from '../assistant/engine/targets.ts'
import { parseAddressList } from '../tcp/access-list.ts'
import { isOwn } from '../login/own-paths.ts'
import { MEMORY_FORM, parseMemory } from '../tcp/memory.ts'
import { scenarioFolder } from './installation.ts'

const MIB = 1024 * 1024

const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace'] as const

const flag = z.enum(['true', 'false']).transform((value) => value === 'true')

function portFrom(lowest: number) {
  const allowed = `a port number from ${lowest} to 65535`
  return z
    .string()
    .regex(/^\d{1,5}$/, allowed)
    .transform(Number)
    .refine((port) => port >= lowest && port <= 65535, allowed)
}

const address = z.string().refine((value) => isIP(value) !== 0, 'an IP address of this machine, such as 0.0.0.0 or 127.0.0.1')

const host = z.string().regex(/^[A-Za-z0-9._:-]{1,253}$/, 'a host name or an IP address')

const hostNames = z
  .string()
  .transform((names) =>
    names
      .toLowerCase()
      .split(/[\s,]+/)
      .filter((name) => name !== ''),
  )
  .refine((names) => names.every((name) => /^[a-z0-9._-]{1,253}$/.test(name)), 'host names such as monitoring.example, separated by commas')

const portRange = z
  .string()
  .regex(/^\d{1,5}(-\d{1,5})?$/, 'a port range such as 9500-9519, or one port')
  .transform((value) => {
    const [first = 0, last = first] = value.split('-').map(Number)
    return { first, last }
  })
  .refine(({ first, last }) => first >= 1 && first <= last && last <= 65535, 'a range from low to high within 1-65535')

const publishedPorts = z
  .string()
  .refine((text) => parsePublishedPorts(text) !== undefined, PUBLISHED_PORTS_FORM)
  .transform((text) => parsePublishedPorts(text)!)

function count(lowest: number) {
  const allowed = `a whole number from ${lowest}`
  return z
    .string()
    .regex(/^\d{1,15}$/, allowed)
    .transform(Number)
    .refine((number) => number >= lowest, allowed)
}

const addressList = z.string().refine((list) => {
  try {
    parseAddressList(list)
    return true
  } catch {
    return false
  }
}, 'addresses and networks such as 10.0.0.0/8, 192.168.1.5')

const memory = z.string().refine((text) => parseMemory(text) !== undefined, MEMORY_FORM)

const assistantTargets = z.string().refine((list) => {
  try {
    parseTargets(list)
    return true
  } catch {
    return false
  }
}, TARGETS_FORM)

/** `all`, `none`, or names of the distribution's flow files; gives the names. */
const scenarios = z.string().transform((text, context) => {
  const there = namesIn(scenarioFolder)
  if (text === 'all') return there
  if (text === 'none') return []
  const names = text.split(/[\s,]+/).filter((name) => name !== '')
  if (names.length > 0 && names.every((name) => there.includes(name))) return names
  context.addIssue({ code: 'custom', message: `all, none, or some of ${there.join(', ')}` })
  return z.NEVER
})

const rootPath = z
  .string()
  .regex(/^\/([\w.~-]+\/?)*$/, 'a path that starts with /, such as / or /admin')
  .transform((path) => (path.endsWith('/') ? path : `${path}/`))

const openPaths = z
  .string()
  .regex(/^\s*\/[\w.~-]+(\/[\w.~-]+)*\/?(\s*,\s*\/[\w.~-]+(\/[\w.~-]+)*\/?)*\s*$/, 'paths that start with /, such as /worldmap,/mqtt')
  .transform((list) => list.split(',').map((path) => path.trim().replace(/\/$/, '')))

const timeZone = z.string().refine((zone) => {
  try {
    return Boolean(new Intl.DateTimeFormat('en', { timeZone: zone }))
  } catch {
    return false
  }
}, 'an IANA time zone such as Europe/Berlin or Asia/Shanghai')

const urlList = z
  .string()
  .transform((text) => text.split(/[\s,]+/).filter((entry) => entry !== ''))
  .refine((urls) => urls.every((url) => /^https?:/.test(url) && URL.canParse(url)), 'addresses such as https://example.com/catalogue.json')

const readableFile = z.string().refine((path) => {
  try {
    readFileSync(path)
    return true
  } catch {
    return false
  }
}, 'a file that this process can read')

const SECRETS = ['NODE_RED_ADMIN_PASSWORD', 'NODE_RED_CREDENTIAL_SECRET'] as const

/** The one definition of the environment: every variable that this distribution reads, its form and its default. */
const variables = z.object({
  NODE_RED_ADMIN_USER: z.string().max(100, 'at most 100 characters').default('admin'),
  NODE_RED_ADMIN_PASSWORD: z.string().max(1024, 'at most 1024 characters').optional(),
  NODE_RED_CREDENTIAL_SECRET: z.string().max(1024, 'at most 1024 characters').optional(),
  NODE_RED_CREDENTIAL_RESET: flag.default(false),
  EDITOR_BIND: address.default('127.0.0.1'),
  EDITOR_PORT: portFrom(0).default(1880),
  STATUS_BIND: address.default('127.0.0.1'),
  STATUS_PORT: portFrom(0).default(1881),
  STATUS_HOSTS: hostNames.default([]),
  TCP_BIND: address.default('0.0.0.0'),
  TCP_PORTS: portRange.default({ first: 9500, last: 9519 }),
  PUBLISHED_PORTS: publishedPorts.optional(),
  TCP_NODES: z.enum(['hardened', 'core']).default('hardened'),
  TCP_MAX_CONNECTIONS: count(0).default(0),
  TCP_MAX_PER_ADDRESS: count(0).default(0),
  TCP_IDLE_TIMEOUT: count(0).default(0),
  TCP_WRITE_BUFFER: count(1).default(4 * MIB),
  TCP_MAX_FRAME: count(1).default(16 * MIB),
  TCP_MEMORY: memory.optional(),
  TCP_PROXY_TRUSTED: addressList.optional(),
  SCENARIOS: scenarios.default(() => namesIn(scenarioFolder)),
  TCP_IN_SERVER_PORT: portFrom(1).optional(),
  TCP_OUT_SERVER_PORT: portFrom(1).optional(),
  TCP_RESPONSE_PORT: portFrom(1).optional(),
  ASSISTANT_HOST: host.default('127.0.0.1'),
  TCP_IN_CLIENT_PORT: portFrom(1).default(9601),
  TCP_OUT_CLIENT_PORT: portFrom(1).default(9602),
  ASSISTANT: flag.default(true),
  ASSISTANT_TARGETS: assistantTargets.optional(),
  ASSISTANT_ENDPOINTS: count(1).default(16),
  ASSISTANT_PEERS: count(1).default(64),
  ASSISTANT_LOG_ENTRIES: count(1).default(100_000),
  ASSISTANT_LOG_BYTES: count(1).default(16 * MIB),
  LOG_LEVEL: z.enum(LOG_LEVELS).default('info'),
  LOG_FORMAT: z.enum(['text', 'json']).default('text'),
  TZ: timeZone.optional(),
  HTTP_ADMIN_ROOT: rootPath.default('/'),
  HTTP_IN_LOGIN: flag.default(false),
  TRUSTED_PROXIES: addressList.optional(),
  HTTP_OPEN_PATHS: openPaths.default([]),
  HTTP_MAX_CONNECTIONS: count(10).default(1000),
  TLS_CERT_FILE: readableFile.optional(),
  TLS_KEY_FILE: readableFile.optional(),
  PALETTE_INSTALL: flag.default(true),
  FUNCTION_EXTERNAL_MODULES: flag.default(false),
  PALETTE_CATALOGUES: urlList.default(['https://catalogue.nodered.org/catalogue.json']),
  EXTRA_CA_FILE: z.string().optional(),
  DATA_DIR: z
    .string()
    .default('data')
    .transform((path) => resolve(path)),
  FLOWS_DIR: z.string().optional(),
})

/** The names of all variables; a secret can also be given as a file, by its name and `_FILE`. */
export const VARIABLE_NAMES: readonly string[] = [...Object.keys(variables.shape), ...SECRETS.map((name) => `${name}_FILE`)].sort()

type Variables = z.output<typeof variables>
type ScenarioPort = 'TCP_IN_SERVER_PORT' | 'TCP_OUT_SERVER_PORT' | 'TCP_RESPONSE_PORT'

type SecretName = (typeof SECRETS)[number]

/** The validated environment: every default filled in, and nothing in it that is secret. */
export type Environment = Omit<Variables, ScenarioPort | SecretName> & Record<ScenarioPort, number>

/** The secrets that were given, in variables or files. */
export type GivenSecrets = Pick<Variables, SecretName>

/** All mistakes of the environment at once; one line each with variable, value and what is allowed. */
export class EnvironmentError extends Error {
  readonly mistakes: readonly string[]

  constructor(mistakes: readonly string[]) {
    super(
      `The environment has ${mistakes.length === 1 ? 'a mistake' : `${mistakes.length} mistakes`}:\n${mistakes.map((line) => `  ${line}`).join('\n')}`,
    )
    this.mistakes = mistakes
  }
}

/**
 * Reads and validates the environment. An empty value counts as not set, since Compose passes `NAME=` for what is absent.
 * @throws EnvironmentError naming every mistake
 */
export function readEnvironment(env: NodeJS.ProcessEnv = process.env): { environment: Environment; given: GivenSecrets } {
  const given = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== ''))
  const mistakes: string[] = []
  const values = { ...given, ...readSecretFiles(given, mistakes) }
  const parsed = variables.safeParse(values)
  for (const issue of parsed.error?.issues ?? []) mistakes.push(describeMistake(issue, values))
  if (!parsed.success) throw new EnvironmentError(mistakes)
  const { NODE_RED_ADMIN_PASSWORD, NODE_RED_CREDENTIAL_SECRET, ...data } = parsed.data
  const environment = withScenarioPorts(data)
  mistakes.push(...contradictions(environment))
  if (mistakes.length > 0) throw new EnvironmentError(mistakes)
  return { environment, given: { NODE_RED_ADMIN_PASSWORD, NODE_RED_CREDENTIAL_SECRET } }
}

/** Takes the secrets out: flows read the environment as `${NAME}` and by env.get, and programs that they start inherit it. */
export function forgetSecrets(env: NodeJS.ProcessEnv = process.env): void {
  for (const name of SECRETS) {
    delete env[name]
    delete env[`${name}_FILE`]
  }
}

function readSecretFiles(given: NodeJS.ProcessEnv, mistakes: string[]): Record<string, string> {
  const secrets: Record<string, string> = {}
  for (const name of SECRETS) {
    const path = given[`${name}_FILE`]
    if (path === undefined) continue
    if (given[name] !== undefined) {
      mistakes.push(`${name} and ${name}_FILE are both set: set one of them`)
      continue
    }
    try {
      const secret = readFileSync(path, 'utf8').replace(/\r?\n$/, '')
      if (secret === '') mistakes.push(`${name}_FILE=${path}: the file is empty`)
      secrets[name] = secret
    } catch (error) {
      mistakes.push(`${name}_FILE=${path}: the file cannot be read (${(error as NodeJS.ErrnoException).code})`)
    }
  }
  return secrets
}

function describeMistake(issue: z.core.$ZodIssue, values: NodeJS.ProcessEnv): string {
  const name = String(issue.path[0])
  const allowed = issue.code === 'invalid_value' ? `one of ${issue.values.join(', ')}` : issue.message
  const secret = (SECRETS as readonly string[]).includes(name)
  return `${name}=${secret ? '(not shown)' : values[name]}: allowed is ${allowed}`
}

/** The listening scenarios follow the published range, so that one variable moves them all. */
function withScenarioPorts(data: Omit<Variables, SecretName>): Environment {
  const { first } = data.TCP_PORTS
  return {
    ...data,
    TCP_IN_SERVER_PORT: data.TCP_IN_SERVER_PORT ?? first + 1,
    TCP_OUT_SERVER_PORT: data.TCP_OUT_SERVER_PORT ?? first + 2,
    TCP_RESPONSE_PORT: data.TCP_RESPONSE_PORT ?? first + 3,
  }
}

function contradictions(environment: Environment): string[] {
  const mistakes: string[] = []
  if ((environment.TLS_CERT_FILE === undefined) !== (environment.TLS_KEY_FILE === undefined)) {
    mistakes.push('TLS_CERT_FILE and TLS_KEY_FILE belong together: set both, or none for plain HTTP')
  }
  for (const path of environment.HTTP_OPEN_PATHS) {
    if (isOwn({ method: 'GET', readings: [path.toLowerCase()] }, { adminRoot: environment.HTTP_ADMIN_ROOT }))
      mistakes.push(`HTTP_OPEN_PATHS: ${path} belongs to editor, dashboard or assistant, which are never open; allowed is any other path`)
  }
  const owners = new Map<number, string>()
  for (const name of ['EDITOR_PORT', 'STATUS_PORT', 'TCP_IN_SERVER_PORT', 'TCP_OUT_SERVER_PORT', 'TCP_RESPONSE_PORT'] as const) {
    const port = environment[name]
    const other = owners.get(port)
    if (port !== 0 && other !== undefined) mistakes.push(`${name}=${port}: ${other} has the same port; allowed is any other`)
    owners.set(port, name)
  }
  return mistakes
}

/** The ports of the scenarios by the names of their variables, as texts. */
export function scenarioPorts(environment: Environment): Record<string, string> {
  const { TCP_IN_SERVER_PORT, TCP_OUT_SERVER_PORT, TCP_RESPONSE_PORT, TCP_IN_CLIENT_PORT, TCP_OUT_CLIENT_PORT } = environment
  const named = { TCP_IN_SERVER_PORT, TCP_OUT_SERVER_PORT, TCP_RESPONSE_PORT, TCP_IN_CLIENT_PORT, TCP_OUT_CLIENT_PORT }
  return Object.fromEntries(Object.entries(named).map(([name, value]) => [name, String(value)]))
}

/** What provisioned flows read as `${NAME}`. */
export function flowVariables(environment: Environment): Record<string, string> {
  const { ASSISTANT_HOST, HTTP_ADMIN_ROOT, SCENARIOS } = environment
  // With a query: Node-RED's dashboard takes a link to a bare / for its own start page, and shows nothing at all.
  return {
    ASSISTANT_HOST,
    EDITOR_LINK: HTTP_ADMIN_ROOT === '/' ? '/?' : HTTP_ADMIN_ROOT,
    SCENARIOS: SCENARIOS.join(' ') || 'none',
    ...scenarioPorts(environment),
  }
}
