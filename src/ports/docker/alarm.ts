/** Wakes a waiter, once for many rings within a moment. */
export function createAlarm(signal: AbortSignal) {
  let rung = false
  let timer: NodeJS.Timeout | undefined
  let later: NodeJS.Timeout | undefined
  let wake: () => void = () => {}

  function go(): void {
    rung = true
    wake()
  }

  signal.addEventListener(
    'abort',
    () => {
      clearTimeout(timer)
      clearTimeout(later)
      go()
    },
    { once: true },
  )
  return {
    /** Wakes after a delay in milliseconds; what rings in between is part of it. */
    ring(delayMs: number): void {
      timer ??= setTimeout(() => {
        timer = undefined
        go()
      }, delayMs)
    },
    /** Wakes after a delay in milliseconds besides, counted from the last call. */
    ringAgain(delayMs: number): void {
      clearTimeout(later)
      later = setTimeout(go, delayMs)
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
