// What runs inside the page. Each function is sent there as it stands, so it uses nothing from outside of itself.

type Element = { scrollTop: number; scrollHeight: number; clientHeight: number; closest: (selector: string) => Element | null }
type Box = { left: number; top: number; width: number; height: number }
type Probe = { usableMs?: number; frames: number[]; lags: number[]; sampling: boolean; effectMs?: number }

declare const document: {
  querySelector: (selector: string) => (Element & { getBoundingClientRect: () => Box }) | null
  elementFromPoint: (x: number, y: number) => Element | null
}
declare const bench: Probe
declare function requestAnimationFrame(callback: (now: number) => void): void
declare function addEventListener(type: 'click', listener: (event: { timeStamp: number }) => void, options: object): void

/** Before anything of the page runs: notes the first frame in which the page can be used, in milliseconds since the navigation began. */
export function watchForUse(): void {
  const probe: Probe = { frames: [], lags: [], sampling: false }
  Object.assign(globalThis, { bench: probe })
  const look = () => {
    if (document.querySelector('[data-preset]:enabled, .log')) probe.usableMs = performance.now()
    else requestAnimationFrame(look)
  }
  requestAnimationFrame(look)
}

export function usableMs(): number | undefined {
  return bench.usableMs
}

/** Notes the time from frame to frame, and how late a timer is, until it is stopped. */
export function startSampling(): void {
  const TIMER_MS = 20
  Object.assign(bench, { frames: [], lags: [], sampling: true })
  let frame: number | undefined
  const onFrame = (now: number) => {
    if (frame !== undefined) bench.frames.push(now - frame)
    frame = now
    if (bench.sampling) requestAnimationFrame(onFrame)
  }
  requestAnimationFrame(onFrame)
  const wait = () => {
    const from = performance.now()
    setTimeout(() => {
      bench.lags.push(Math.max(0, performance.now() - from - TIMER_MS))
      if (bench.sampling) wait()
    }, TIMER_MS)
  }
  wait()
}

export function stopSampling(): { frames: number[]; lags: number[] } {
  bench.sampling = false
  return { frames: bench.frames, lags: bench.lags }
}

/** Notes how long it takes from the next click to the frame that has an element. */
export function watchNextClick(effect: string): void {
  delete bench.effectMs
  addEventListener(
    'click',
    ({ timeStamp }) => {
      const look = () => {
        if (document.querySelector(effect)) bench.effectMs = performance.now() - timeStamp
        else requestAnimationFrame(look)
      }
      requestAnimationFrame(look)
    },
    { capture: true, once: true },
  )
}

export function effectMs(): number | undefined {
  return bench.effectMs
}

/** Scrolls down the log, a bit with every frame. Gives the times from frame to frame, and in how many of them no entry was in the middle. */
export function scrollSmoothly({ ms, pxPerFrame }: { ms: number; pxPerFrame: number }): Promise<{ frames: number[]; blank: number }> {
  const log = document.querySelector('.log')!
  const { left, top, width, height } = log.getBoundingClientRect()
  const frames: number[] = []
  let blank = 0
  log.scrollTop = 0
  return new Promise((resolve) => {
    let before: number | undefined
    let start: number | undefined
    const onFrame = (now: number) => {
      start ??= now
      if (before !== undefined) {
        frames.push(now - before)
        if (!document.elementFromPoint(left + width / 2, top + height / 2)?.closest('.entry')) blank += 1
      }
      before = now
      if (now - start >= ms) return resolve({ frames, blank })
      log.scrollTop += pxPerFrame
      requestAnimationFrame(onFrame)
    }
    requestAnimationFrame(onFrame)
  })
}

/** Jumps to places in the log, told as parts of its height. Gives how long it took each time until entries were there. */
export async function jumpAround(places: number[]): Promise<number[]> {
  const MAX_MS = 5_000
  const log = document.querySelector('.log')!
  const { left, top, width, height } = log.getBoundingClientRect()
  const frame = () => new Promise<number>(requestAnimationFrame)
  const isShown = () => Boolean(document.elementFromPoint(left + width / 2, top + height / 2)?.closest('.entry'))
  const times: number[] = []
  for (const place of places) {
    const from = await frame()
    log.scrollTop = place * (log.scrollHeight - log.clientHeight)
    // The frame in which it jumps still has the old rows.
    let now = await frame()
    while (!isShown() && now - from < MAX_MS) now = await frame()
    times.push(now - from)
  }
  return times
}
