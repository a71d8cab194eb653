// The settings of endpoints and of what is sent, as they stand in the protocol, in scenario files and in the page's memory: a schema for
// each, and its type. The page takes types only, so that no zod gets into it.
import { z } from 'zod'

const MAX_TEXT = 4 * 1024 * 1024
const MAX_PEM = 64 * 1024
export const MAX_PERIOD_MS = 24 * 3600 * 1000

const port = z.number().int().min(1).max(65535)
const anyPort = z.number().int().min(0).max(65535)
const host = z.string().regex(/^[A-Za-z0-9._:%-]{1,253}$/, 'a host name or an IP address')
const address = z.union([z.ipv4(), z.ipv6()])
const pem = z.string().max(MAX_PEM)
const maxPeers = z.number().int().min(1).exactOptional()
export const peer = z.string().max(100)

/** A checksum over the bytes `from` up to `to`; a negative `to` counts from the end, undefined is the end. */
export const checksumSpec = z.strictObject({
  name: z.enum(['crc16-modbus', 'crc16-ccitt', 'crc32', 'sum8', 'xor8']),
  order: z.enum(['big', 'little']),
  from: z.number().int().exactOptional(),
  to: z.number().int().exactOptional(),
})
export type ChecksumSpec = z.infer<typeof checksumSpec>
export type ChecksumName = ChecksumSpec['name']

/** What somebody has typed to be sent. `encoding` is a name that iconv-lite knows, such as `utf8` or `gbk`. */
export const draft = z.strictObject({
  mode: z.enum(['text', 'hex']),
  text: z.string().max(MAX_TEXT),
  encoding: z.string().max(40),
  escapes: z.boolean(),
  ending: z.enum(['', '\r', '\n', '\r\n']),
  checksum: checksumSpec.exactOptional(),
  macros: z.boolean(),
})
export type Draft = z.infer<typeof draft>

/** TLS with certificates in PEM. A client with `verify: false` takes any certificate. A server needs `cert` and `key`. */
const tlsSpec = z.strictObject({
  cert: pem.exactOptional(),
  key: pem.exactOptional(),
  passphrase: z.string().max(1024).exactOptional(),
  ca: pem.exactOptional(),
  verify: z.boolean().exactOptional(),
  servername: z.string().max(253).exactOptional(),
})
export type TlsSpec = z.infer<typeof tlsSpec>

/** Connects, and with `reconnectMs` again after that many milliseconds. */
const tcpClientSpec = z.strictObject({
  kind: z.literal('tcp-client'),
  host,
  port,
  localHost: address.exactOptional(),
  localPort: anyPort.exactOptional(),
  tls: tlsSpec.exactOptional(),
  reconnectMs: z.number().int().min(0).max(MAX_PERIOD_MS).exactOptional(),
})
export type TcpClientSpec = z.infer<typeof tcpClientSpec>

/** Listens; without `host` on all addresses. Port 0: any free one. */
const tcpServerSpec = z.strictObject({
  kind: z.literal('tcp-server'),
  port: anyPort,
  host: address.exactOptional(),
  tls: tlsSpec.exactOptional(),
  maxPeers,
})
export type TcpServerSpec = z.infer<typeof tcpServerSpec>

/** A UDP socket. Without a target it answers only those that it has heard from. */
const udpSpec = z.strictObject({
  kind: z.literal('udp'),
  localPort: anyPort,
  localHost: address.exactOptional(),
  host: host.exactOptional(),
  port: port.exactOptional(),
  broadcast: z.boolean().exactOptional(),
  /** A group to join. */
  multicast: address.exactOptional(),
  /** The address of the interface to join the group on and to send to it from. */
  multicastInterface: z.string().max(100).exactOptional(),
  ttl: z.number().int().min(1).max(255).exactOptional(),
})
export type UdpSpec = z.infer<typeof udpSpec>

/** Listens, dials `host:targetPort` for every client and passes on what both send, with all of it in the log. */
const tapSpec = z.strictObject({
  kind: z.literal('tap'),
  port: anyPort,
  localHost: address.exactOptional(),
  host,
  targetPort: port,
  maxPeers,
})
export type TapSpec = z.infer<typeof tapSpec>

export const endpointSpec = z.discriminatedUnion('kind', [tcpClientSpec, tcpServerSpec, udpSpec, tapSpec])
export type EndpointSpec = z.infer<typeof endpointSpec>
export type EndpointKind = EndpointSpec['kind']

/** How sent bytes are mistreated, and how fast received ones are read. */
export const faultSpec = z.strictObject({
  /** Writes pieces of that many bytes, `splitDelayMs` apart (default 20). */
  splitBytes: z.number().int().min(0).exactOptional(),
  splitDelayMs: z.number().int().min(0).max(60_000).exactOptional(),
  /** Collects what is sent for that long and writes it at once. */
  mergeMs: z.number().int().min(0).max(60_000).exactOptional(),
  /** Waits before every write. */
  delayMs: z.number().int().min(0).max(60_000).exactOptional(),
  /** Reads at most that many bytes a second. */
  readBytesPerSecond: z.number().int().min(0).exactOptional(),
})
export type FaultSpec = z.infer<typeof faultSpec>

/** An automatic reply. In `reply.text`, `$1` to `$9` and `$&` stand for what a regular expression has captured. */
export const rule = z.strictObject({
  name: z.string().max(100).exactOptional(),
  enabled: z.boolean().exactOptional(),
  when: z.discriminatedUnion('by', [
    z.strictObject({ by: z.enum(['contains', 'equals', 'regex', 'hex']), pattern: z.string().max(4096) }),
    z.strictObject({ by: z.literal('connect') }),
  ]),
  reply: draft,
  delayMs: z.number().int().min(0).max(600_000).exactOptional(),
})
export type Rule = z.infer<typeof rule>
export type RuleMatch = Rule['when']

/** Sends a draft again and again; `count` 0: until it is stopped. Macros are evaluated anew each time. */
export const timerSpec = z.strictObject({
  draft,
  periodMs: z.number().max(MAX_PERIOD_MS),
  count: z.number().int().min(0),
  peer: peer.exactOptional(),
})
export type TimerSpec = z.infer<typeof timerSpec>

/** Byte strings are HEX, such as `0D0A`. The same kinds as the framing of the tcp nodes. */
export const framingSpec = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('stream') }),
  z.strictObject({ kind: z.literal('single') }),
  z.strictObject({ kind: z.literal('delimiter'), delimiter: z.string().max(200), keep: z.boolean() }),
  z.strictObject({ kind: z.literal('fixed'), length: z.number().int().min(1) }),
  z.strictObject({
    kind: z.literal('length'),
    offset: z.number().int().min(0).max(65535),
    size: z.literal([1, 2, 4]),
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
    trailer: z.number().int().min(0).max(65535).exactOptional(),
  }),
])
export type FramingSpec = z.infer<typeof framingSpec>

/** The properties of a tcp in node that decide what it emits, as they stand in a flow file. */
export const tcpInSpec = z.record(z.string().max(100), z.union([z.string().max(4096), z.number(), z.boolean()]))
export type TcpInSpec = z.infer<typeof tcpInSpec>
