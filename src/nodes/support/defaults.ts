import type { NodeRed } from './node-red.ts'

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
