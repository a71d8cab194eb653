// One peer of a scenario while it runs: its endpoint, and what it has received.
import { createInbox } from './inbox.ts'
import type { Hub } from '../engine/hub.ts'
import type { Draft } from '../shared/spec.ts'
import type { ScenarioPeer } from './model.ts'
import type { Notice } from '../shared/notice.ts'

export function openPlayer(hub: Hub, peer: ScenarioPeer, title: string) {
  const inbox = createInbox(peer.encoding)
  let id: string | undefined
  let next = 1

  const endpoint = () => (id === undefined ? undefined : hub.find(id))
  const info = () => endpoint()?.info()

  return {
    inbox,
    info,
    open(): void {
      if (id === undefined) ({ id } = hub.open(peer.spec, title))
      else hub.find(id).open()
    },
    close(): void {
      if (id !== undefined) endpoint()?.close()
    },
    remove(): void {
      if (id !== undefined) hub.remove(id)
      id = undefined
    },
    /** Takes what has come since. */
    read(): void {
      const log = endpoint()?.log
      if (log === undefined) return
      for (const entry of log.slice(next, log.last)) if (entry.dir === 'rx' && entry.data) inbox.add(entry.data)
      next = log.last + 1
    },
    send(draft: Draft): void {
      if (id !== undefined) hub.send(id, draft)
    },
    /** A datagram socket with a target is connected as soon as it is open. */
    isConnected: (): boolean => {
      const state = info()
      return state?.state === 'open' && state.peers.length > 0
    },
    isClosed: (): boolean => {
      const state = info()
      return state === undefined || state.peers.length === 0
    },
    /** Why it will not get any further. */
    problem: (): Notice | undefined => {
      const state = info()
      return state?.state === 'failed' ? state.problem : undefined
    },
  }
}

export type Player = ReturnType<typeof openPlayer>
