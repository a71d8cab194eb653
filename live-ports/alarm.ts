/** Wakes whoever waits: rung many times within a moment, once. */
export function createAlarm(signal: AbortSignal) {
  let rung = false
  let timer: NodeJS.Timeout | undefined
  let wake: () => void = () => {}

  function go(): void {
    timer = undefined
    rung = true
    wake()
  }

  signal.addEventListener('abort', go, { once: true })
  return {
    /** Wakes after a delay in milliseconds; what rings in between is part of it. */
    ring(delayMs: number): void {
      timer ??= setTimeout(go, delayMs)
    },
    /** Resolves when it was rung since the last time, or after a time in milliseconds. */
    async wait(atMostMs: number): Promise<void> {
      if (!rung) {
        const { promise, resolve } = Promise.withResolvers<void>()
        const limit = setTimeout(resolve, atMostMs)
        wake = resolve
        await promise
        clearTimeout(limit)
        wake = () => {}
      }
      rung = false
    },
  }
}
