// The form of every request: what comes over a socket is believed only after it went through here.
import { z } from 'zod'
import type { Limits, Request, Verb } from '../shared/protocol.ts'
import { notice } from '../shared/notice.ts'
import { AssistantError } from '../engine/errors.ts'

const MAX_TEXT = 4 * 1024 * 1024
const MAX_SCENARIO = 256 * 1024
const MAX_PEM = 64 * 1024
const MAX_PERIOD_MS = 24 * 3600 * 1000

const id = z.string().min(1).max(100)
const name = z.string().trim().min(1).max(100)
const peer = z.string().max(100).optional()
const port = z.number().int().min(1).max(65535)
const anyPort = z.number().int().min(0).max(65535)
const host = z.string().regex(/^[A-Za-z0-9._:%-]{1,253}$/, 'a host name or an IP address')
const address = z.union([z.ipv4(), z.ipv6()])
const pem = z.string().max(MAX_PEM)
const base64 = z.base64().max(MAX_TEXT * 2)
const n = z.number().int().min(0)

const tls = z.strictObject({
  cert: pem.optional(),
  key: pem.optional(),
  passphrase: z.string().max(1024).optional(),
  ca: pem.optional(),
  verify: z.boolean().optional(),
  servername: z.string().max(253).optional(),
})

const spec = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('tcp-client'),
    host,
    port,
    localHost: address.optional(),
    localPort: anyPort.optional(),
    tls: tls.optional(),
    reconnectMs: z.number().int().min(0).max(MAX_PERIOD_MS).optional(),
  }),
  z.strictObject({
    kind: z.literal('tcp-server'),
    port: anyPort,
    host: address.optional(),
    tls: tls.optional(),
    maxPeers: z.number().int().min(1).optional(),
  }),
  z.strictObject({
    kind: z.literal('udp'),
    localPort: anyPort,
    localHost: address.optional(),
    host: host.optional(),
    port: port.optional(),
    broadcast: z.boolean().optional(),
    multicast: address.optional(),
    multicastInterface: z.string().max(100).optional(),
    ttl: z.number().int().min(1).max(255).optional(),
  }),
  z.strictObject({
    kind: z.literal('tap'),
    port: anyPort,
    localHost: address.optional(),
    host,
    targetPort: port,
    maxPeers: z.number().int().min(1).optional(),
  }),
])

const checksum = z.strictObject({
  name: z.enum(['crc16-modbus', 'crc16-ccitt', 'crc32', 'sum8', 'xor8']),
  order: z.enum(['big', 'little']),
  from: z.number().int().optional(),
  to: z.number().int().optional(),
})

const draft = z.strictObject({
  mode: z.enum(['text', 'hex']),
  text: z.string().max(MAX_TEXT),
  encoding: z.string().max(40),
  escapes: z.boolean(),
  ending: z.enum(['', '\r', '\n', '\r\n']),
  checksum: checksum.optional(),
  macros: z.boolean(),
})

const rule = z.strictObject({
  name: z.string().max(100).optional(),
  enabled: z.boolean().optional(),
  when: z.discriminatedUnion('by', [
    z.strictObject({ by: z.enum(['contains', 'equals', 'regex', 'hex']), pattern: z.string().max(4096) }),
    z.strictObject({ by: z.literal('connect') }),
  ]),
  reply: draft,
  delayMs: z.number().int().min(0).max(600_000).optional(),
})

const faults = z.strictObject({
  splitBytes: z.number().int().min(0).optional(),
  splitDelayMs: z.number().int().min(0).max(60_000).optional(),
  mergeMs: z.number().int().min(0).max(60_000).optional(),
  delayMs: z.number().int().min(0).max(60_000).optional(),
  readBytesPerSecond: z.number().int().min(0).optional(),
})

const framing = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('stream') }),
  z.strictObject({ kind: z.literal('single') }),
  z.strictObject({ kind: z.literal('delimiter'), delimiter: z.string().max(200), keep: z.boolean() }),
  z.strictObject({ kind: z.literal('fixed'), length: z.number().int().min(1) }),
  z.strictObject({
    kind: z.literal('length'),
    offset: z.number().int().min(0).max(65535),
    size: z.union([z.literal(1), z.literal(2), z.literal(4)]),
    endian: z.enum(['big', 'little']),
    adjust: z.number().int().min(-65535).max(65535),
    keepHeader: z.boolean(),
  }),
  z.strictObject({ kind: z.literal('gap'), ms: z.number().int().min(1).max(600_000) }),
  z.strictObject({
    kind: z.literal('marker'),
    start: z.string().max(200),
    end: z.string().max(200),
    keep: z.boolean(),
    trailer: z.number().int().min(0).max(65535).optional(),
  }),
])

const span = { from: n.optional(), to: n.optional(), peer }
const endpoint = { id: n, endpoint: id }

function createSchema({ timerPeriodMs }: Limits) {
  const timer = z.strictObject({
    draft,
    periodMs: z.number().min(timerPeriodMs, `at least ${timerPeriodMs} ms`).max(MAX_PERIOD_MS),
    count: z.number().int().min(0),
    peer,
  })
  return z.union([
    z.discriminatedUnion('do', [
      z.strictObject({ id: n, do: z.literal('open'), spec, name: name.optional() }),
      z.strictObject({ ...endpoint, do: z.literal('close') }),
      z.strictObject({ ...endpoint, do: z.literal('reopen'), spec: spec.optional() }),
      z.strictObject({ ...endpoint, do: z.literal('remove') }),
      z.strictObject({ ...endpoint, do: z.literal('rename'), name }),
      z.strictObject({ ...endpoint, do: z.literal('send'), peer, data: base64.optional(), draft: draft.optional() }),
      z.strictObject({ ...endpoint, do: z.literal('timer'), timer: timer.optional() }),
      z.strictObject({
        ...endpoint,
        do: z.literal('file'),
        peer,
        step: z.enum(['begin', 'chunk', 'cancel']),
        name: name.optional(),
        size: n.optional(),
        chunkBytes: z.number().int().min(1).optional(),
        periodMs: z.number().int().min(0).max(60_000).optional(),
        data: base64.optional(),
      }),
      z.strictObject({ ...endpoint, do: z.literal('rules'), rules: z.array(rule) }),
      z.strictObject({
        ...endpoint,
        do: z.literal('faults'),
        peer,
        faults: faults.optional(),
        now: z.enum(['half-close', 'reset']).optional(),
      }),
      z.strictObject({ ...endpoint, do: z.literal('clear') }),
      z.strictObject({ ...endpoint, do: z.literal('watch'), from: n.optional() }),
      z.strictObject({ ...endpoint, do: z.literal('unwatch') }),
      z.strictObject({ ...endpoint, do: z.literal('fetch'), from: n, to: n }),
      z.strictObject({
        ...endpoint,
        ...span,
        do: z.literal('view'),
        view: z.enum(['framing', 'node-red', 'latency', 'text']),
        framing: framing.optional(),
        dir: z.enum(['rx', 'tx']).optional(),
        checksum: checksum.optional(),
        maxFrame: z.number().int().min(1).optional(),
        settings: z.record(z.string().max(100), z.union([z.string().max(4096), z.number(), z.boolean()])).optional(),
        encoding: z.string().max(40).optional(),
      }),
      z.strictObject({ ...endpoint, ...span, do: z.literal('export'), format: z.enum(['text', 'csv', 'hexdump', 'pcapng', 'flow']) }),
      z.strictObject({
        ...endpoint,
        do: z.literal('replay'),
        peer,
        speed: z.number().min(0.01).max(1000).optional(),
        source: z.strictObject({ endpoint: id, dir: z.enum(['rx', 'tx']), ...span }).optional(),
      }),
      z.strictObject({ ...endpoint, do: z.literal('reset-counters') }),
      z.strictObject({ ...endpoint, do: z.literal('kick'), peer: z.string().max(100) }),
    ]),
    z.strictObject({ id: n, do: z.literal('scenario'), text: z.string().max(MAX_SCENARIO), keep: z.boolean().optional() }),
    z.strictObject({ id: n, do: z.literal('scenario'), stop: id }),
  ])
}

/**
 * Makes a reader of requests.
 * @throws AssistantError naming what is wrong and where
 */
export function createRequestReader(limits: Limits): (given: unknown) => Request {
  const schema = createSchema(limits)
  return (given) => {
    const parsed = schema.safeParse(given)
    if (parsed.success) return withoutUndefined(parsed.data) as Request
    const [issue] = parsed.error.issues.flatMap((issue) => (issue.code === 'invalid_union' ? (issue.errors[0] ?? [issue]) : [issue]))
    const reason = `${issue?.path.map(String).join('.') || 'request'}: ${issue?.message ?? 'is none'}`
    throw new AssistantError(notice('BAD_REQUEST', { reason }))
  }
}

/** The verb and the number of a request that may be none, for the answer to it. */
export function requestIdentity(given: unknown): { id: number; verb: Verb | undefined } {
  const { id, do: verb } = (typeof given === 'object' && given !== null ? given : {}) as { id?: unknown; do?: unknown }
  return { id: typeof id === 'number' ? id : 0, verb: typeof verb === 'string' ? (verb as Verb) : undefined }
}

// Optional properties are absent, not undefined: so they stand in our types.
function withoutUndefined<T extends object>(value: T): T {
  return Object.fromEntries(Object.entries(value).filter(([, content]) => content !== undefined)) as T
}
