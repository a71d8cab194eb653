import type { Answer, Answers, Permissions, ServerEvent } from '../shared/protocol.ts'
import type { Asked, Verb } from '../shared/requests.ts'
import { toEntry } from './entries.ts'
import { createHandlers, type Handlers } from './handlers.ts'
import { createScenarios } from './scenario-runs.ts'
import type { Endpoint } from '../engine/endpoint.ts'
import type { Hub, HubEvent } from '../engine/hub.ts'
import { notice } from '../shared/notice.ts'
import { AssistantError } from '../engine/errors.ts'

const BATCH_MS = 50
const INFO_MS = 200
const MAX_BUFFERED_BYTES = 1024 * 1024
// What one batch carries at most; what is older is summed up as skipped, and fetched when somebody scrolls to it.
const MAX_BATCH_ENTRIES = 2_000
const MAX_BATCH_BYTES = 512 * 1024

/** Where a watcher sends to. `buffered`: bytes that it has not taken yet. */
export type Sink = { send: (message: ServerEvent | Answer) => void; buffered: () => number }

type Watched = { endpoint: Endpoint; next: number; rx: number; tx: number; first: number }

export type Watcher = ReturnType<typeof createWatcher>

/** One browser: it hears of all endpoints, and of entries of those that it watches, as fast as it takes them. */
export function createWatcher(hub: Hub, sink: Sink, { permissions, version }: { permissions: Permissions; version: string }) {
  const watched = new Map<string, Watched>()
  const stale = new Set<Endpoint>()
  let batching: NodeJS.Timeout | undefined
  let informing: NodeJS.Timeout | undefined

  function hear(event: HubEvent): void {
    const { endpoint } = event
    if (event.on === 'removed') {
      watched.delete(endpoint.id)
      stale.delete(endpoint)
      sink.send({ on: 'removed', endpoint: endpoint.id })
      return
    }
    const state = watched.get(endpoint.id)
    // A log that was cleared has other entries, though nothing was logged.
    if (state && (event.on === 'logged' || endpoint.log.first > state.first)) batching ??= setTimeout(sendBatches, BATCH_MS)
    stale.add(endpoint)
    informing ??= setTimeout(sendInfos, event.on === 'changed' && !recently() ? 0 : INFO_MS)
  }

  let informed = -INFO_MS
  function recently(): boolean {
    return performance.now() - informed < INFO_MS
  }

  function sendInfos(): void {
    informing = undefined
    if (sink.buffered() > MAX_BUFFERED_BYTES) {
      informing = setTimeout(sendInfos, INFO_MS)
      return
    }
    informed = performance.now()
    for (const endpoint of stale) sink.send({ on: 'endpoint', info: endpoint.info() })
    stale.clear()
  }

  function sendBatches(): void {
    batching = undefined
    if (sink.buffered() > MAX_BUFFERED_BYTES) {
      batching = setTimeout(sendBatches, BATCH_MS)
      return
    }
    for (const state of watched.values()) sendBatch(state)
  }

  function sendBatch(state: Watched): void {
    const { endpoint } = state
    const { log } = endpoint
    if (log.first > state.first) {
      state.first = log.first
      sink.send({ on: 'dropped', endpoint: endpoint.id, upTo: log.first - 1 })
    }
    if (state.next > log.last) return
    const start = Math.max(state.next, log.first)
    let from = log.last + 1
    let bytes = 0
    const tail = { rx: 0, tx: 0 }
    while (from > start && log.last - from + 1 < MAX_BATCH_ENTRIES) {
      const { dir, data } = log.get(from - 1)!
      const size = data?.length ?? 0
      if (bytes > 0 && bytes + size > MAX_BATCH_BYTES) break
      bytes += size
      if (dir !== 'note') tail[dir] += size
      from -= 1
    }
    if (from > state.next) {
      const { next } = state
      const rxBytes = log.total.rx - tail.rx - state.rx
      const txBytes = log.total.tx - tail.tx - state.tx
      sink.send({ on: 'skipped', endpoint: endpoint.id, from: next, to: from - 1, count: from - next, rxBytes, txBytes })
    }
    sink.send({ on: 'entries', endpoint: endpoint.id, entries: log.slice(from, log.last).map(toEntry), counters: endpoint.totals })
    Object.assign(state, { next: log.last + 1, ...log.total })
  }

  /** One long request after the other: together they would hold as much as all of them need. */
  let before: Promise<unknown> = Promise.resolve()
  function inTurn<T>(work: () => T | Promise<T>): Promise<T> {
    const turn = before.then(() => {
      gone.signal.throwIfAborted()
      return work()
    })
    before = turn.catch(() => {})
    return turn
  }

  function watch({ endpoint: id, from }: { endpoint: string; from?: number }): { first: number; last: number } {
    const endpoint = hub.find(id)
    const { first, last, total } = endpoint.log
    const next = from === undefined ? last + 1 : Math.min(Math.max(from, first), last + 1)
    const rest = { rx: total.rx, tx: total.tx }
    for (const { dir, data } of endpoint.log.slice(next, last)) if (dir !== 'note') rest[dir] -= data?.length ?? 0
    watched.set(id, { endpoint, next, rx: rest.rx, tx: rest.tx, first })
    if (next <= last) batching ??= setTimeout(sendBatches, 0)
    return { first, last }
  }

  const gone = new AbortController()
  let stopped = false
  const scenarios = createScenarios(hub, (run, event) => {
    if (!stopped) sink.send({ on: 'scenario', run, event })
  })
  const unfollow = hub.follow(hear)
  const owner = {}
  const shared = createHandlers(hub, { owner, signal: gone.signal })
  const handlers: Handlers = {
    ...shared,
    view: (asked) => inTurn(() => shared.view(asked)),
    export: (asked) => inTurn(() => shared.export(asked)),
    watch,
    unwatch({ endpoint }) {
      watched.delete(endpoint)
      return {}
    },
    scenario: scenarios.answer,
  }
  sink.send({
    on: 'hello',
    endpoints: hub.infos(),
    limits: hub.limits,
    presets: hub.presets,
    permissions,
    version,
    kinds: ['tcp-client', 'tcp-server', 'udp', 'tap'],
  })
  return {
    /** @throws AssistantError */
    answer: async <V extends Verb>(verb: V, asked: Asked<V>): Promise<Answers[V]> => await handlers[verb](asked),
    stop(): void {
      stopped = true
      gone.abort(new AssistantError(notice('NOT_AVAILABLE', { what: 'answer' })))
      scenarios.stop()
      unfollow()
      clearTimeout(batching)
      clearTimeout(informing)
      watched.clear()
      hub.leave(owner)
    },
  }
}
