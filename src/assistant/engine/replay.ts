import type { LogEntry, ReplayInfo } from '../shared/protocol.ts'
import { notice, type Notice } from '../shared/notice.ts'
import { noticeOfError } from './errors.ts'

// What is due all at once must not keep anybody else waiting.
const SLICE_MS = 10

type Hooks = { send: (bytes: Uint8Array, peer: string | undefined) => void; note: (note: Notice) => void; changed: () => void }

/** Sends the bytes of log entries again, as far apart as they were, divided by `speed`. */
export function createReplay({ send, note, changed }: Hooks) {
  let running: { entries: readonly LogEntry[]; at: number; from: number; speed: number; peer: string | undefined } | undefined
  let timer: NodeJS.Timeout | undefined

  function tick(): void {
    if (running === undefined) return
    const { entries, from, speed, peer } = running
    const start = entries[0]?.t ?? 0
    const until = performance.now() + SLICE_MS
    for (;;) {
      const entry = entries[running.at]
      if (entry === undefined) return stop()
      const dueMs = (entry.t - start) / 1000 / speed - (performance.now() - from)
      if (dueMs > 1) {
        timer = setTimeout(tick, dueMs)
        return changed()
      }
      try {
        send(entry.data!, peer)
      } catch (error) {
        note(noticeOfError(error))
        return stop()
      }
      running.at += 1
      if (performance.now() > until) {
        timer = setTimeout(tick, 0)
        return changed()
      }
    }
  }

  function stop(): void {
    clearTimeout(timer)
    if (running) note(notice('REPLAY_DONE', { sent: running.at }))
    running = undefined
    changed()
  }

  return {
    start(entries: readonly LogEntry[], { speed, peer }: { speed: number; peer: string | undefined }): void {
      if (running) stop()
      running = { entries: entries.filter(({ data }) => data !== undefined), at: 0, from: performance.now(), speed, peer }
      note(notice('REPLAY_STARTED', { total: running.entries.length }))
      tick()
    },
    stop,
    info: (): ReplayInfo | undefined => running && { total: running.entries.length, sent: running.at },
  }
}
