import { computed, ref, shallowRef, watch } from 'vue'
import type { EndpointInfo, Answers } from '../../shared/protocol.ts'
import type { Asked, Verb } from '../../shared/requests.ts'
import type { EndpointSpec } from '../../shared/spec.ts'
import { ask, endpoints, hello, link, onEvent, noticeOf } from './connection.ts'
import { openLog, type Log } from './log.ts'
import { remembered } from './storage.ts'
import type { Notice } from '../../shared/notice.ts'

/** The endpoint that is looked at; '' is the place where new ones begin. */
export const chosen = remembered('chosen', { endpoint: '' })
export const current = computed(() => endpoints.value.find(({ id }) => id === chosen.endpoint))
export const log = shallowRef<Log>()
export const mayWrite = computed(() => link.value === 'open' && hello.value?.permissions.write === true)

/** What the last thing somebody did has come to, when it went wrong. */
export const problem = ref<Notice>()

const open = remembered('open', { endpoints: [] as { name: string; spec: EndpointSpec }[], ids: [] as string[] })
/** Endpoints that this browser has seen and the server does not have any more, as after its restart. */
export const lost = ref<{ name: string; spec: EndpointSpec }[]>([])

/** Asks the server; what goes wrong is shown and gives undefined. */
export async function attempt<V extends Verb>(verb: V, asked: Asked<V>): Promise<Answers[V] | undefined> {
  try {
    const result = await ask(verb, asked)
    problem.value = undefined
    return result
  } catch (error) {
    problem.value = noticeOf(error)
    return undefined
  }
}

export async function openEndpoint(spec: EndpointSpec, name?: string): Promise<EndpointInfo | undefined> {
  const info = await attempt('open', name === undefined ? { spec } : { spec, name })
  if (info) chosen.endpoint = info.id
  return info
}

export async function openLostAgain(): Promise<void> {
  const again = lost.value
  lost.value = []
  for (const { spec, name } of again) await openEndpoint(spec, name)
}

export function startSession(): void {
  watch(
    () => current.value?.id,
    (id) => {
      log.value?.close()
      log.value = id === undefined ? undefined : openLog(id)
      log.value?.resume().catch(() => {})
    },
  )
  onEvent((event) => {
    if (event.on === 'hello') {
      noteLost(event.endpoints)
      if (!event.endpoints.some(({ id }) => id === chosen.endpoint)) chosen.endpoint = event.endpoints[0]?.id ?? ''
      log.value?.resume().catch(() => {})
    }
    if (event.on === 'removed' && event.endpoint === chosen.endpoint) chosen.endpoint = endpoints.value[0]?.id ?? ''
    if (event.on === 'hello' || event.on === 'removed' || event.on === 'endpoint') rememberOpen()
  })
}

function noteLost(present: readonly EndpointInfo[]): void {
  const ids = new Set(present.map(({ id }) => id))
  if (open.ids.length > 0 && open.ids.every((id) => !ids.has(id)))
    lost.value = JSON.parse(JSON.stringify(open.endpoints)) as typeof lost.value
}

// Keys and pass phrases stay out of the browser's storage; such an endpoint has to be opened by hand.
function rememberOpen(): void {
  const kept = endpoints.value.filter(({ spec }) => !('tls' in spec && (spec.tls?.key || spec.tls?.passphrase)))
  const ids = kept.map(({ id }) => id)
  if (JSON.stringify(ids) === JSON.stringify(open.ids)) return
  open.ids = ids
  open.endpoints = kept.map(({ name, spec }) => ({ name, spec }))
}
