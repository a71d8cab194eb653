import type { Direction, LatencyView } from './protocol.ts'

export type Timed = { n: number; t: number; dir: Direction; peer: string; data?: unknown }

const MAX_BUCKETS = 40
// 1, 2, 5, 10 … microseconds
const STEPS = [1, 2, 5]

/**
 * How long replies took. A request is what goes in the direction that spoke first to a peer, or in the direction given; its reply is what
 * comes next in the other. Of requests without a reply between them the last one is answered, the others are not.
 */
export function measureLatency(entries: Iterable<Timed>, requests?: 'rx' | 'tx'): LatencyView {
  const pairs: LatencyView['pairs'] = []
  const peers = new Map<string, { first: Direction; request: Timed | undefined }>()
  let unanswered = 0
  for (const entry of entries) {
    if (entry.dir === 'note' || entry.data === undefined) continue
    let state = peers.get(entry.peer)
    if (state === undefined) peers.set(entry.peer, (state = { first: requests ?? entry.dir, request: undefined }))
    if (entry.dir === state.first) {
      if (state.request !== undefined) unanswered += 1
      state.request = entry
    } else if (state.request !== undefined) {
      pairs.push({ request: state.request.n, reply: entry.n, peer: entry.peer, us: Math.max(0, entry.t - state.request.t) })
      state.request = undefined
    }
  }
  for (const { request } of peers.values()) if (request !== undefined) unanswered += 1
  const times = pairs.map(({ us }) => us).sort((one, other) => one - other)
  return { pairs, ...(times.length > 0 && { stats: statsOf(times) }), buckets: bucketsOf(times), unanswered }
}

function statsOf(times: readonly number[]): NonNullable<LatencyView['stats']> {
  const rank = (percent: number) => times[Math.max(0, Math.ceil((percent / 100) * times.length) - 1)]!
  const mean = times.reduce((sum, time) => sum + time, 0) / times.length
  return { count: times.length, min: times[0]!, max: times.at(-1)!, mean: Math.round(mean), p50: rank(50), p95: rank(95), p99: rank(99) }
}

/** From the bucket of the shortest time to that of the longest. */
function bucketsOf(times: readonly number[]): LatencyView['buckets'] {
  const buckets: LatencyView['buckets'] = []
  let at = 0
  for (let power = 0; at < times.length && buckets.length < MAX_BUCKETS; power += 1) {
    for (const step of STEPS) {
      const upTo = step * 10 ** power
      const from = at
      while (at < times.length && times[at]! <= upTo) at += 1
      if (at > from || (buckets.length > 0 && at < times.length)) buckets.push({ upTo, count: at - from })
    }
  }
  return buckets
}
