// How much memory may hold bytes.
import { totalmem } from 'node:os'
import { getHeapStatistics } from 'node:v8'

const MIB = 1024 * 1024
const UNITS: Record<string, number> = { '': 1, b: 1, k: 1024, m: MIB, g: 1024 * MIB }
const LEAST = MIB
const LEAST_BY_DEFAULT = 16 * MIB

export const MEMORY_FORM = 'a size from 1m such as 64m or 1g, bytes, or a share of the memory from 1% to 90%'

/** A size as people write it: bytes, or a share of the memory that is there. Undefined for other text. */
export function parseMemory(text: string): { bytes: number } | { percent: number } | undefined {
  const percent = Number(/^(\d{1,2})%$/.exec(text)?.[1] ?? NaN)
  if (percent >= 1 && percent <= 90) return { percent }
  const [, digits, unit = ''] = /^(\d{1,15})([bkmg]?)(?:i?b)?$/i.exec(text) ?? []
  const bytes = Number(digits ?? NaN) * UNITS[unit.toLowerCase()]!
  return bytes >= LEAST && Number.isSafeInteger(bytes) ? { bytes } : undefined
}

/**
 * How many bytes may be held in all: what was set, else a quarter of the memory that there is, no more than half of what is free now, and
 * no more than half of V8's heap, since what is held becomes text in there.
 * @throws Error for text that is no size
 */
export function memoryLimit(setting: string | number | undefined): number {
  const total = totalMemory()
  if (setting !== undefined) {
    const parsed = parseMemory(String(setting))
    if (!parsed) throw new Error(`memory: ${JSON.stringify(setting)} is not ${MEMORY_FORM}`)
    return 'bytes' in parsed ? parsed.bytes : Math.floor((total * parsed.percent) / 100)
  }
  const free = total - process.memoryUsage.rss()
  return Math.max(LEAST_BY_DEFAULT, Math.floor(Math.min(total / 4, free / 2, getHeapStatistics().heap_size_limit / 2)))
}

/** The memory of the container where there is one, else of the machine. */
function totalMemory(): number {
  const constrained = process.constrainedMemory()
  return constrained > 0 ? Math.min(constrained, totalmem()) : totalmem()
}

/** A size as people read it. */
export function formatSize(bytes: number): string {
  if (bytes < 1024) return `${bytes} bytes`
  return bytes < MIB ? `${(bytes / 1024).toFixed(1)} KiB` : `${(bytes / MIB).toFixed(1)} MiB`
}
