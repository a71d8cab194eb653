import { createMacroState } from '../shared/macros.ts'
import type { TimerInfo } from '../shared/protocol.ts'
import type { TimerSpec } from '../shared/spec.ts'
import { composeDraft } from './compose.ts'
import { notice, type Notice } from '../shared/notice.ts'
import { noticeOfError } from './errors.ts'

type Hooks = {
  send: (bytes: Uint8Array, peer: string | undefined) => void
  note: (note: Notice) => void
  changed: () => void
}

/** Sends a draft again and again, at once for the first time. Times are kept from the start on, so that they do not drift. */
export function createTimer({ send, note, changed }: Hooks) {
  let running: { spec: TimerSpec; sent: number; from: number; macros: ReturnType<typeof createMacroState> } | undefined
  let timer: NodeJS.Timeout | undefined

  function tick(): void {
    if (running === undefined) return
    const { spec, macros } = running
    try {
      send(composeDraft(spec.draft, macros), spec.peer)
      running.sent += 1
    } catch (error) {
      note(noticeOfError(error))
      return stop()
    }
    if (spec.count > 0 && running.sent >= spec.count) return stop()
    changed()
    const elapsed = performance.now() - running.from
    const next = (Math.floor(elapsed / spec.periodMs) + 1) * spec.periodMs
    timer = setTimeout(tick, Math.max(0, next - elapsed))
  }

  function stop(): void {
    clearTimeout(timer)
    if (running) note(notice('TIMER_DONE', { sent: running.sent }))
    running = undefined
    changed()
  }

  return {
    /** @throws AssistantError when the draft is none */
    start(spec: TimerSpec): void {
      const macros = createMacroState()
      composeDraft(spec.draft, createMacroState())
      if (running) stop()
      running = { spec, sent: 0, from: performance.now(), macros }
      note(notice('TIMER_STARTED', { periodMs: spec.periodMs, count: spec.count }))
      tick()
    },
    stop,
    info(): TimerInfo | undefined {
      if (!running) return undefined
      const { spec, sent } = running
      return { periodMs: spec.periodMs, count: spec.count, sent, ...(spec.peer === undefined ? {} : { peer: spec.peer }) }
    },
  }
}
