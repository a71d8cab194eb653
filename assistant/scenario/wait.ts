import type { Hub } from '../engine/hub.ts'
import type { Player } from './play.ts'

export type Waiting = { hub: Hub; players: readonly Player[]; signal: AbortSignal }

/** Until something is so, looked at whenever an endpoint changes or hears something; or the time is up, or the run is stopped. */
export function waitFor(isSo: () => boolean, ms: number, { hub, players, signal }: Waiting): Promise<'met' | 'late' | 'stopped'> {
  return new Promise((resolve) => {
    const look = () => {
      for (const player of players) player.read()
      if (isSo()) end('met')
    }
    const stop = () => end('stopped')
    const timer = setTimeout(() => end('late'), ms)
    const unfollow = hub.follow(look)
    signal.addEventListener('abort', stop)
    function end(how: 'met' | 'late' | 'stopped'): void {
      clearTimeout(timer)
      unfollow()
      signal.removeEventListener('abort', stop)
      resolve(how)
    }
    if (signal.aborted) stop()
    else look()
  })
}
