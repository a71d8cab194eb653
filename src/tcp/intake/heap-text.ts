import { getHeapStatistics } from 'node:v8'

// Two bytes for each unit at most, and a small part of V8's heap: when that is full, the process ends.
const BYTES_PER_UNIT = 2
const MAX_BYTES = Math.min(32 * 1024 * 1024, getHeapStatistics().heap_size_limit / 16)

let inUse = 0

/** Reserves room in V8's heap for incomplete text, so that no peer can fill more than a part of it. */
export function takeHeap(units: number): boolean {
  if (inUse + units * BYTES_PER_UNIT > MAX_BYTES) return false
  inUse += units * BYTES_PER_UNIT
  return true
}

export function giveHeap(units: number): void {
  inUse -= units * BYTES_PER_UNIT
}
