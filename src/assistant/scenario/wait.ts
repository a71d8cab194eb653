import type { Hub } from '../engine/hub.ts'
import type { Player } from './player.ts'

export type Waiting = { hub: Hub; players: readonly Player[]; signal: AbortSignal }

/** Until something is so, looked at whenever an endpoint changes or hears something; or the time is up, or the run is stopped. */
export function waitFor(isSo: () => boolean, ms: number, { hub, players, signal }: Waiting): Promise<'met' | 'late' | 'stopped'> {
  return new Promise((resolve) => {
    let over = false
    let looking: NodeJS.Timeout | undefined
    const look = () => {
      looking = undefined
      const started = performance.now()
      for (const player of players) player.read()
      if (!over && isSo()) end('met')
      pauseMs = performance.now() - started
    }
    // What takes time to look at, in a flood, is looked at for no more than half of the time.
    let pauseMs = 0
    const heard = () => {
      if (pauseMs < 1) look()
      else looking ??= setTimeout(look, pauseMs)
    }
    const stop = () => end('stopped')
    const timer = setTimeout(() => {
      if (looking !== undefined) look()
      end('late')
    }, ms)
    const unfollow = hub.follow(heard)
    signal.addEventListener('abort', stop)
    function end(how: 'met' | 'late' | 'stopped'): void {
      clearTimeout(timer)
      clearTimeout(looking)
      over = true
      unfollow()
      signal.removeEventListener('abort', stop)
      resolve(how)
    }
    if (signal.aborted) stop()
    else look()
  })
}
