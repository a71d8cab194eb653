import type { Endpoint } from '../../assistant/engine/endpoint.ts'
import type { Hub } from '../../assistant/engine/hub.ts'
import type { Place, Shortcuts } from '../../tcp/shortcuts.ts'

const ALL_ADDRESSES = new Set(['0.0.0.0', '::'])

/**
 * Flows find the debug assistant at `ASSISTANT_HOST`. In a container that is another machine: while this assistant listens on a port, it is
 * the one that they reach there.
 */
export function keepShortcuts(hub: Hub, host: string, shortcuts: Shortcuts): void {
  const kept = new Map<Endpoint, Place>()
  hub.follow(({ on, endpoint }) => {
    if (on === 'logged') return
    const place = on === 'removed' ? undefined : listensAt(endpoint)
    const before = kept.get(endpoint)
    if (place?.port === before?.port && place?.host === before?.host) return
    if (before) shortcuts.set({ host, port: before.port }, undefined)
    if (place) shortcuts.set({ host, port: place.port }, place)
    if (place) kept.set(endpoint, place)
    else kept.delete(endpoint)
  })
}

function listensAt(endpoint: Endpoint): Place | undefined {
  const { kind } = endpoint.spec
  const { local } = endpoint
  if (!local || (kind !== 'tcp-server' && kind !== 'tap')) return undefined
  return { host: ALL_ADDRESSES.has(local.address) ? '127.0.0.1' : local.address, port: local.port }
}
