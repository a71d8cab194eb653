import { computed, reactive, ref, shallowRef, watch } from 'vue'
import type { Direction, Entry } from '../../shared/protocol.ts'
import { createSearch, type Search } from '../../shared/search.ts'
import { t, describe } from '../i18n/index.ts'
import { fromBase64 } from './bytes.ts'
import { firstAfter } from './log.ts'
import { decode } from './readable.ts'
import { log } from './session.ts'
import { receive } from './settings.ts'

type Query = { by: 'text' | 'regex' | 'hex'; text: string; dir: '' | Direction; peer: string; onlyHits: boolean }

export const query = reactive<Query>({ by: 'text', text: '', dir: '', peer: '', onlyHits: true })
export const paused = ref(false)
/** Entries that came while the log was paused. */
export const unseen = ref(0)

const made = computed(() =>
  createSearch({
    by: query.by,
    text: query.text,
    ...(query.dir && { dir: query.dir }),
    ...(query.peer && { peer: query.peer }),
    encoding: receive.encoding,
  }),
)
export const search = computed<Search | undefined>(() => ('search' in made.value ? made.value.search : undefined))
export const queryMistake = computed(() => ('search' in made.value ? '' : query.by === 'hex' ? t('search.badHex') : t('search.badRegex')))
export const searching = computed(() => query.text !== '')
const filtering = computed(() => query.dir !== '' || query.peer !== '' || (searching.value && query.onlyHits))

/** What the log shows: all entries, or those that are looked for. */
export const visible = shallowRef<readonly Entry[]>([])

/** A search that has not seen all entries yet: what is visible is what it has found so far. */
export const scanning = ref(false)

// Short enough that a key which is pressed meanwhile is felt at once.
const SLICE_MS = 8
const SHOW_EVERY_MS = 100

type Scan = { endpoint: string; search: Search; revision: number; upTo: number; hits: Entry[]; shownAt: number }
let scan: Scan | undefined
let nextSlice: ReturnType<typeof setTimeout> | undefined
let lastSeen = 0

export function isHit(entry: Entry): boolean {
  const wanted = search.value
  if (!wanted) return false
  if (entry.note) return wanted.matches({ dir: entry.dir, peer: entry.peer, text: describe(entry.note) })
  const data = fromBase64(entry.data ?? '')
  // What a decoder of the browser reads, the search must not read otherwise.
  return wanted.matches({
    dir: entry.dir,
    peer: entry.peer,
    data,
    ...(query.by !== 'hex' && query.text && { text: decode(data, receive.encoding) }),
  })
}

/** Shows what is asked for. While the log is paused, that is what was there then. */
function look(): void {
  const all = log.value?.entries.value ?? []
  if (!paused.value) lastSeen = all.at(-1)?.n ?? 0
  countUnseen()
  if (filtering.value) find()
  else {
    stopScan()
    visible.value = all.slice(0, firstAfter(all, lastSeen))
  }
}

function countUnseen(): void {
  unseen.value = Math.max(0, (log.value?.entries.value.at(-1)?.n ?? 0) - lastSeen)
}

/** Looks through what has come since the last time, as long as nothing else has changed; else from the start. */
function find(): void {
  if (!log.value || !search.value) {
    stopScan()
    visible.value = []
    return
  }
  const { endpoint, revision } = log.value
  const goesOn = scan?.endpoint === endpoint && scan.search === search.value && scan.revision === revision()
  if (goesOn && nextSlice !== undefined) return
  stopScan()
  if (!goesOn) scan = { endpoint, search: search.value, revision: revision(), upTo: -1, hits: [], shownAt: -Infinity }
  scanSlice()
}

function stopScan(): void {
  clearTimeout(nextSlice)
  nextSlice = undefined
  scanning.value = false
}

/** A hundred thousand entries and a slow pattern take seconds: the page is let in between, and what is typed meanwhile starts anew. */
function scanSlice(): void {
  nextSlice = undefined
  if (!scan) return
  const all = log.value?.entries.value ?? []
  const until = performance.now() + SLICE_MS
  let index = firstAfter(all, scan.upTo)
  // Not beyond what was there when the log was paused.
  const isLeft = () => index < all.length && all[index]!.n <= lastSeen
  for (; isLeft() && performance.now() < until; index += 1) {
    const entry = all[index]!
    if (isHit(entry)) scan.hits.push(entry)
    scan.upTo = entry.n
  }
  scanning.value = isLeft()
  if (scanning.value) nextSlice = setTimeout(scanSlice)
  else scan.shownAt = -Infinity
  if (performance.now() - scan.shownAt < SHOW_EVERY_MS) return
  if (scanning.value) scan.shownAt = performance.now()
  const first = all[0]?.n ?? 0
  if (scan.hits.length > 0 && scan.hits[0]!.n < first) scan.hits = scan.hits.filter(({ n }) => n >= first)
  visible.value = [...scan.hits]
}

watch([search, filtering, paused, log], look, { immediate: true })
// The list of a log changes in place and says so: a watcher of the ref itself is told.
watch(log, (opened, _, onCleanup) => opened && onCleanup(watch(opened.entries, () => (paused.value ? countUnseen() : look()))), {
  immediate: true,
})
watch(
  () => log.value?.endpoint,
  () => {
    paused.value = false
    query.peer = ''
  },
)
