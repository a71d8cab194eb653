import { onScopeDispose, ref, shallowRef, watch } from 'vue'
import type { View } from '../../shared/requests.ts'
import { ask, noticeOf } from './connection.ts'
import { current } from './session.ts'
import type { Notice } from '../../shared/notice.ts'

const AGAIN_MS = 1_000

/** Keeps a view of the chosen endpoint up to date: at once when it is asked otherwise, at most once a second while bytes come in. */
export function useView<T>(asked: () => View) {
  const view = shallowRef<T>()
  const problem = ref<Notice>()
  let running = false
  let again = false
  let timer: ReturnType<typeof setTimeout> | undefined

  async function load(): Promise<void> {
    const endpoint = current.value?.id
    if (endpoint === undefined) return
    if (running) {
      again = true
      return
    }
    running = true
    again = false
    try {
      view.value = (await ask('view', { endpoint, ...asked() })) as T
      problem.value = undefined
    } catch (error) {
      view.value = undefined
      problem.value = noticeOf(error)
    }
    running = false
    if (again) void load()
  }

  watch([() => current.value?.id, asked], () => void load(), { immediate: true, deep: true })
  watch(
    () => [current.value?.log.last, current.value?.log.first],
    () => {
      timer ??= setTimeout(() => {
        timer = undefined
        void load()
      }, AGAIN_MS)
    },
  )
  onScopeDispose(() => clearTimeout(timer))
  return { view, problem }
}
