import { shallowRef, triggerRef, type ShallowRef } from 'vue'
import type { Entry } from '../../shared/protocol.ts'
import { ask, hello, onEvent } from './connection.ts'

const SHOW_EVERY_MS = 100
const FILL_AFTER_MS = 500

type Gap = { from: number; to: number }

/** One endpoint's log as this page knows it: what comes by itself, and what is fetched because it came before or too fast. */
export type Log = {
  endpoint: string
  /** Ordered by `n`; changes at most every 100 ms. */
  entries: ShallowRef<readonly Entry[]>
  /** Changes when entries were put in between or in front. */
  revision: () => number
  /** Entries that the server has and the page does not, yet. */
  missing: () => number
  resume: () => Promise<void>
  close: () => void
}

export function openLog(endpoint: string): Log {
  let entries: Entry[] = []
  let gaps: Gap[] = []
  let filling: ReturnType<typeof setTimeout> | undefined
  let showing: ReturnType<typeof setTimeout> | undefined
  let closed = false
  let revision = 0
  const shown = shallowRef<readonly Entry[]>(entries)

  const show = () => {
    if (closed) return
    showing ??= setTimeout(() => {
      showing = undefined
      if (shown.value === entries) triggerRef(shown)
      else shown.value = entries
    }, SHOW_EVERY_MS)
  }

  function add(more: readonly Entry[]): void {
    const fresh = more.filter(({ n }) => !has(entries, n))
    const [head] = fresh
    if (!head) return
    if (head.n > (entries.at(-1)?.n ?? -1)) for (const entry of fresh) entries.push(entry)
    else {
      entries = [...entries, ...fresh].sort((a, b) => a.n - b.n)
      revision += 1
    }
    show()
  }

  function drop(upTo: number): void {
    const kept = firstAfter(entries, upTo)
    if (kept > 0) entries = entries.slice(kept)
    gaps = gaps.filter(({ to }) => to > upTo).map(({ from, to }) => ({ from: Math.max(from, upTo + 1), to }))
    show()
  }

  function addGap(gap: Gap): void {
    if (gap.from > gap.to) return
    gaps.push(gap)
    clearTimeout(filling)
    filling = setTimeout(() => void fill(), FILL_AFTER_MS)
    show()
  }

  // Newest first, since that is where people look.
  async function fill(): Promise<void> {
    while (!closed) {
      const gap = gaps.pop()
      if (!gap) return
      const from = Math.max(gap.from, gap.to - (hello.value?.limits.fetchEntries ?? 1000) + 1)
      if (from > gap.from) gaps.push({ from: gap.from, to: from - 1 })
      try {
        const answer = await ask('fetch', { endpoint, from, to: gap.to })
        add(answer.entries)
        const last = answer.entries.at(-1)?.n
        if (last !== undefined && last < gap.to) gaps.push({ from: last + 1, to: gap.to })
        gaps = gaps.filter(({ to }) => to >= answer.first)
      } catch {
        gaps.push(gap)
        return
      }
    }
  }

  const stop = onEvent((event) => {
    if (!('endpoint' in event) || event.endpoint !== endpoint) return
    if (event.on === 'entries') add(event.entries)
    if (event.on === 'skipped') addGap({ from: event.from, to: event.to })
    if (event.on === 'dropped') drop(event.upTo)
  })

  async function resume(): Promise<void> {
    const known = entries.at(-1)?.n
    const { first, last } = await ask('watch', { endpoint })
    drop(first - 1)
    const from = known !== undefined && known >= first && known <= last ? known + 1 : first
    if (known !== undefined && known > last) entries = []
    gaps = gaps.filter((gap) => gap.to < from)
    if (from <= last) gaps.push({ from, to: last })
    await fill()
    show()
  }

  return {
    endpoint,
    entries: shown,
    revision: () => revision,
    missing: () => gaps.reduce((sum, { from, to }) => sum + to - from + 1, 0),
    resume,
    close: () => {
      closed = true
      stop()
      clearTimeout(filling)
      clearTimeout(showing)
      ask('unwatch', { endpoint }).catch(() => {})
    },
  }
}

function has(entries: readonly Entry[], n: number): boolean {
  if (n > (entries.at(-1)?.n ?? -1)) return false
  return entries[firstAfter(entries, n - 1)]?.n === n
}

/** The index of the first entry whose number is greater. */
export function firstAfter(entries: readonly Entry[], n: number): number {
  let low = 0
  let high = entries.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (entries[middle]!.n <= n) low = middle + 1
    else high = middle
  }
  return low
}
