import type { Entry } from '../../shared/protocol.ts'

const pad = (value: number, length = 2) => String(value).padStart(length, '0')

/** `21:59:48.369` */
export function clock(t: number): string {
  const date = new Date(t / 1000)
  return `${pad(date.getHours())}:${pad(date.getMinutes())}:${pad(date.getSeconds())}.${pad(date.getMilliseconds(), 3)}`
}

/** With the date, and to the microsecond. */
export function fullClock(t: number): string {
  const date = new Date(t / 1000)
  return `${date.getFullYear()}-${pad(date.getMonth() + 1)}-${pad(date.getDate())} ${clock(t)}${pad(Math.floor(t) % 1000, 3)}`
}

/** `+0.000123` seconds since the entry before. */
export function difference(entry: Entry, before: Entry | undefined): string {
  return before ? `+${(Math.max(0, entry.t - before.t) / 1e6).toFixed(6)}` : ' 0.000000'
}

/** Microseconds in the unit that fits. */
export function duration(us: number): string {
  if (us < 1000) return `${Math.round(us)} µs`
  if (us < 1e6) return `${(us / 1000).toFixed(us < 10_000 ? 2 : 1)} ms`
  return `${(us / 1e6).toFixed(2)} s`
}
