import { reactive, watch } from 'vue'

const PREFIX = 'assistant.'
const WRITE_DELAY_MS = 150

/** What somebody has set or typed, kept by this browser: it survives a reload, a lost connection and a restart of the server. */
export function remembered<T extends object>(name: string, initial: T): T {
  const value = reactive(structuredClone(initial)) as T
  Object.assign(value, read(name))
  let timer: ReturnType<typeof setTimeout> | undefined
  const write = () => {
    clearTimeout(timer)
    timer = undefined
    store(name, value)
  }
  watch(value, () => (timer ??= setTimeout(write, WRITE_DELAY_MS)), { deep: true })
  addEventListener('pagehide', () => timer !== undefined && write())
  return value
}

function read(name: string): object | undefined {
  try {
    const found: unknown = JSON.parse(localStorage.getItem(PREFIX + name) ?? 'null')
    return typeof found === 'object' && found !== null ? found : undefined
  } catch {
    return undefined
  }
}

// A browser that keeps nothing (private windows, full storage) is no reason to stop.
function store(name: string, value: object): void {
  try {
    localStorage.setItem(PREFIX + name, JSON.stringify(value))
  } catch {}
}
