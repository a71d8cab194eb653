import type { Entry } from '../../shared/protocol.ts'
import { base64Length } from './bytes.ts'

const SHOWN_SECONDS = 300

/** What came and went in each of the last seconds: times, received, sent. */
export function perSecond(entries: readonly Entry[], unit: 'bytes' | 'count', nowSeconds: number): [number[], number[], number[]] {
  const end = Math.floor(nowSeconds)
  const newest = Math.max(end, Math.floor((entries.at(-1)?.t ?? 0) / 1e6))
  const first = newest - SHOWN_SECONDS + 1
  const times = Array.from({ length: SHOWN_SECONDS }, (_, index) => first + index)
  const rx = new Array<number>(SHOWN_SECONDS).fill(0)
  const tx = new Array<number>(SHOWN_SECONDS).fill(0)
  for (let index = entries.length - 1; index >= 0; index--) {
    const entry = entries[index]!
    const at = Math.floor(entry.t / 1e6) - first
    if (at < 0) break
    if (entry.dir === 'note') continue
    const series = entry.dir === 'rx' ? rx : tx
    series[at] = (series[at] ?? 0) + (unit === 'bytes' ? base64Length(entry.data ?? '') : 1)
  }
  return [times, rx, tx]
}
