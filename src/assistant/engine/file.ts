import type { FileInfo } from '../shared/protocol.ts'
import { createBreath } from './breath.ts'
import type { Peer } from './peer.ts'
import { notice, type Notice } from '../shared/notice.ts'
import { AssistantError } from './errors.ts'

/** Bytes that may wait before the next piece of a file is taken. */
const MAX_AHEAD_BYTES = 256 * 1024

type Plan = { name: string; size: number; peer: string | undefined; owner: unknown; pieceBytes: number; periodMs: number }
type Hooks = {
  send: (bytes: Uint8Array, peer: string | undefined) => void
  peers: (peer: string | undefined) => Peer[]
  note: (note: Notice) => void
  changed: () => void
}

/** Sends a file as it comes in, not faster than the peers take it. Nothing of it is kept. */
export function createFileSending({ send, peers, note, changed }: Hooks) {
  let running: (Plan & { sent: number; busy: boolean }) | undefined

  function infoOf({ name, size, sent, peer }: FileInfo | (Plan & { sent: number })): FileInfo {
    return { name, size, sent, ...(peer === undefined ? {} : { peer }) }
  }

  function cancel(): FileInfo | undefined {
    if (!running) return undefined
    const info = infoOf(running)
    running = undefined
    note(notice('FILE_CANCELLED', { name: info.name, sent: info.sent, size: info.size }))
    changed()
    return info
  }

  async function pass(file: NonNullable<typeof running>, bytes: Uint8Array): Promise<void> {
    const size = file.pieceBytes || bytes.length
    const breath = createBreath()
    for (let at = 0; at < bytes.length; at += size) {
      for (const peer of peers(file.peer)) while (peer.waiting > MAX_AHEAD_BYTES && peers(file.peer).includes(peer)) await peer.progress()
      if (running !== file) return
      const piece = bytes.subarray(at, at + size)
      send(piece, file.peer)
      file.sent += piece.length
      changed()
      await breath()
      if (file.periodMs > 0 && file.sent < file.size) await new Promise((resolve) => setTimeout(resolve, file.periodMs))
    }
  }

  return {
    begin(plan: Plan): FileInfo {
      if (running) throw new AssistantError(notice('FILE_BUSY', { name: running.name }))
      running = { ...plan, sent: 0, busy: false }
      note(notice('FILE_STARTED', { name: plan.name, size: plan.size }))
      changed()
      return infoOf(running)
    },
    async chunk(bytes: Uint8Array): Promise<FileInfo> {
      const file = running
      if (!file || file.busy || file.sent + bytes.length > file.size) throw new AssistantError(notice('FILE_OUT_OF_STEP'))
      file.busy = true
      try {
        await pass(file, bytes)
      } catch (error) {
        if (running === file) cancel()
        throw error
      } finally {
        file.busy = false
      }
      if (running === file && file.sent === file.size) {
        running = undefined
        note(notice('FILE_DONE', { name: file.name, size: file.size }))
        changed()
      }
      return infoOf(file)
    },
    cancel,
    /** Whoever sends the file has gone. */
    leave(owner: unknown): void {
      if (running?.owner === owner) cancel()
    },
    info: (): FileInfo | undefined => running && infoOf(running),
  }
}
