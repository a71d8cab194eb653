// Log lines from before Node-RED starts, in the form that Node-RED's own lines have afterwards.

export type LogFormat = 'text' | 'json'
export type LogLevel = 'fatal' | 'error' | 'warn' | 'info' | 'debug' | 'trace'
export type Log = Record<'error' | 'warn' | 'info' | 'debug', (message: string) => void>

/** A message of Node-RED's logger, as its log handlers get it. `level` is 10 (fatal) to 60 (trace). */
export type NodeRedLogMessage = {
  timestamp: number
  level: number
  type?: string
  id?: string
  name?: string
  msg: unknown
}

/** Node-RED's number for its gravest level. */
export const FATAL = 10

const LEVEL_NUMBERS: Record<LogLevel, number> = { fatal: FATAL, error: 20, warn: 30, info: 40, debug: 50, trace: 60 }
const LEVEL_NAMES = new Map(Object.entries(LEVEL_NUMBERS).map(([name, number]) => [number, name]))
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']

/** One JSON object on one line: time, level, type, name, id, msg. */
export function formatJson(message: NodeRedLogMessage): string {
  const { timestamp, level, type, name, id } = message
  return JSON.stringify({
    time: new Date(timestamp).toISOString(),
    level: LEVEL_NAMES.get(level),
    type,
    name,
    id,
    msg: textOf(message.msg),
  })
}

function textOf(msg: unknown): unknown {
  if (msg instanceof Error) return msg.stack ?? msg.message
  if (typeof msg === 'object' && msg !== null && 'message' in msg) return String(msg.message)
  return msg
}

function formatText({ timestamp, level, type, msg }: NodeRedLogMessage): string {
  const date = new Date(timestamp)
  const time = date.toTimeString().slice(0, 8)
  return `${date.getDate()} ${MONTHS[date.getMonth()]} ${time} - [${LEVEL_NAMES.get(level)}] ${type ? `[${type}] ` : ''}${String(msg)}`
}

/** A log that writes `type` lines to standard output in the given form, leaving out those finer than `level`. */
export function createLog(type: string, { format, level }: { format: LogFormat; level: LogLevel }): Log {
  const write = (name: keyof Log) => (message: string) => {
    if (LEVEL_NUMBERS[name] > LEVEL_NUMBERS[level]) return
    const line = { timestamp: Date.now(), level: LEVEL_NUMBERS[name], type, msg: message }
    process.stdout.write(`${format === 'json' ? formatJson(line) : formatText(line)}\n`)
  }
  return { error: write('error'), warn: write('warn'), info: write('info'), debug: write('debug') }
}
