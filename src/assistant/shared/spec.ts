// The settings of endpoints and of what is sent, as they stand in the protocol, in scenario files and in the page's memory.

export type ChecksumName = 'crc16-modbus' | 'crc16-ccitt' | 'crc32' | 'sum8' | 'xor8'

/** A checksum over the bytes `from` up to `to`; a negative `to` counts from the end, undefined is the end. */
export type ChecksumSpec = { name: ChecksumName; order: 'big' | 'little'; from?: number; to?: number }

/** What somebody has typed to be sent. `encoding` is a name that iconv-lite knows, such as `utf8` or `gbk`. */
export type Draft = {
  mode: 'text' | 'hex'
  text: string
  encoding: string
  escapes: boolean
  ending: '' | '\r' | '\n' | '\r\n'
  checksum?: ChecksumSpec
  macros: boolean
}

/** TLS with certificates in PEM. For a client `verify: false` takes any certificate. A server needs `cert` and `key`. */
export type TlsSpec = { cert?: string; key?: string; passphrase?: string; ca?: string; verify?: boolean; servername?: string }

/** Connects, and with `reconnect` again after so many milliseconds. */
export type TcpClientSpec = {
  kind: 'tcp-client'
  host: string
  port: number
  localHost?: string
  localPort?: number
  tls?: TlsSpec
  reconnectMs?: number
}

/** Listens; `host` undefined: on all addresses. Port 0: any free one. */
export type TcpServerSpec = { kind: 'tcp-server'; port: number; host?: string; tls?: TlsSpec; maxPeers?: number }

/** A UDP socket. Without a target it answers only those that it has heard from. `multicast`: a group to join. */
export type UdpSpec = {
  kind: 'udp'
  localPort: number
  localHost?: string
  host?: string
  port?: number
  broadcast?: boolean
  multicast?: string
  /** The address of the interface to join the group on and to send to it from. */
  multicastInterface?: string
  ttl?: number
}

/** Listens, dials `host:targetPort` for every client and passes on what both send, with all of it in the log. */
export type TapSpec = { kind: 'tap'; port: number; localHost?: string; host: string; targetPort: number; maxPeers?: number }

export type EndpointSpec = TcpClientSpec | TcpServerSpec | UdpSpec | TapSpec

/** How sent bytes are mistreated, and received ones read. */
export type FaultSpec = {
  /** Writes pieces of so many bytes, `splitDelayMs` apart (default 20). */
  splitBytes?: number
  splitDelayMs?: number
  /** Collects what is sent for so long and writes it at once. */
  mergeMs?: number
  /** Waits before every write. */
  delayMs?: number
  /** Reads at most so many bytes a second. */
  readBytesPerSecond?: number
}

export type RuleMatch = { by: 'contains' | 'equals' | 'regex' | 'hex'; pattern: string } | { by: 'connect' }

/** An automatic reply. In `reply.text`, `$1` to `$9` and `$&` stand for what a regular expression has captured. */
export type Rule = { name?: string; enabled?: boolean; when: RuleMatch; reply: Draft; delayMs?: number }

/** Sends a draft again and again; `count` 0: until it is stopped. Macros are worked out anew each time. */
export type TimerSpec = { draft: Draft; periodMs: number; count: number; peer?: string }

/** Byte strings are HEX, such as `0D0A`. The same kinds as the framing of the tcp nodes. */
export type FramingSpec =
  | { kind: 'stream' }
  | { kind: 'single' }
  | { kind: 'delimiter'; delimiter: string; keep: boolean }
  | { kind: 'fixed'; length: number }
  | { kind: 'length'; offset: number; size: 1 | 2 | 4; endian: 'big' | 'little'; adjust: number; keepHeader: boolean }
  | { kind: 'gap'; ms: number }
  | { kind: 'marker'; start: string; end: string; keep: boolean; trailer?: number }

/** The properties of a tcp in node that decide what it emits, as they stand in a flow file. */
export type TcpInSpec = Record<string, string | number | boolean>

export type EndpointKind = EndpointSpec['kind']
