import type { NodeRed } from './node-red.ts'

/** Process-wide defaults of the tcp nodes (`settings.tcp`). Sizes in bytes, times in milliseconds; 0 means no limit. */
export type TcpDefaults = {
  /** Address that listeners bind to; undefined: all, IPv4 and IPv6. */
  bind?: string
  maxConnections?: number
  maxPerAddress?: number
  idleMs?: number
  writeBuffer?: number
  maxFrame?: number
  maxSingle?: number
  /** How long a tcp request waits for an answer while others wait for their turn. */
  replyMs?: number
  proxyTrusted?: string
  /** What all connections together may hold: bytes, or text such as `64m` or `25%`; else a share of the memory that is there. */
  memory?: string | number
}

export const MIB = 1024 * 1024
const KEEP_ALIVE_MS = 60_000
const LINGER_MS = 200
const DEFAULT_RECONNECT_MS = 10_000
const REPLY_MS = 20_000
const DEFAULT_QUEUE_SIZE = 1_000

/** The defaults of this process, all filled in. */
export function readDefaults({ settings }: NodeRed) {
  const {
    bind,
    maxConnections = 0,
    maxPerAddress = 0,
    idleMs,
    writeBuffer = 4 * MIB,
    maxFrame = 16 * MIB,
    maxSingle = 128 * MIB,
    replyMs = REPLY_MS,
  } = settings.tcp ?? {}
  return {
    bind,
    maxConnections,
    maxPerAddress,
    idleMs: idleMs ?? settings.socketTimeout ?? 0,
    writeBuffer,
    maxFrame,
    maxSingle,
    replyMs,
    proxyTrusted: settings.tcp?.proxyTrusted ?? '',
    keepAliveMs: KEEP_ALIVE_MS,
    lingerMs: LINGER_MS,
    // As in Node-RED's own nodes, 0 means the default.
    reconnectMs: settings.socketReconnectTime || DEFAULT_RECONNECT_MS,
    queueSize: settings.tcpMsgQueueSize || DEFAULT_QUEUE_SIZE,
  }
}

export type FilledDefaults = ReturnType<typeof readDefaults>
