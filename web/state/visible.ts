import { computed, reactive, ref, shallowRef, watch } from 'vue'
import type { Direction, Entry } from '../../assistant/shared/protocol.ts'
import { createSearch, type Search } from '../../assistant/shared/search.ts'
import { t, tell } from '../i18n/index.ts'
import { fromBase64 } from './bytes.ts'
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

type Scanned = { endpoint: string; search: Search; revision: number; upTo: number; hits: Entry[] }
let scanned: Scanned | undefined
let lastSeen = 0

export function isHit(entry: Entry): boolean {
  const wanted = search.value
  if (!wanted) return false
  if (entry.note) return wanted.matches({ dir: entry.dir, peer: entry.peer, text: tell(entry.note) })
  const data = fromBase64(entry.data ?? '')
  // What a decoder of the browser reads, the search must not read otherwise.
  return wanted.matches({
    dir: entry.dir,
    peer: entry.peer,
    data,
    ...(query.by !== 'hex' && query.text && { text: decode(data, receive.encoding) }),
  })
}

function look(): void {
  const all = log.value?.entries.value ?? []
  const last = all.at(-1)?.n ?? 0
  if (paused.value) {
    unseen.value = Math.max(0, last - lastSeen)
    return
  }
  lastSeen = last
  unseen.value = 0
  visible.value = filtering.value ? scan(all) : all.slice()
}

/** Looks through what has come since the last time, as long as nothing else has changed. */
function scan(all: readonly Entry[]): readonly Entry[] {
  if (!log.value || !search.value) return []
  const { endpoint, revision } = log.value
  const goesOn = scanned?.endpoint === endpoint && scanned.search === search.value && scanned.revision === revision()
  const { upTo, hits } = goesOn && scanned ? scanned : { upTo: -1, hits: [] }
  const first = all[0]?.n ?? 0
  const found = hits.length > 0 && hits[0]!.n < first ? hits.filter(({ n }) => n >= first) : [...hits]
  let from = all.length
  while (from > 0 && all[from - 1]!.n > upTo) from -= 1
  for (const entry of all.slice(from)) if (isHit(entry)) found.push(entry)
  scanned = { endpoint, search: search.value, revision: revision(), upTo: all.at(-1)?.n ?? -1, hits: found }
  return found
}

watch([search, filtering, paused, log], look, { immediate: true })
// The list of a log changes in place and says so: a watcher of the ref itself is told.
watch(log, (opened, _, onCleanup) => opened && onCleanup(watch(opened.entries, look)), { immediate: true })
watch(
  () => log.value?.endpoint,
  () => {
    paused.value = false
    query.peer = ''
  },
)
