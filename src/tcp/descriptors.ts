// File descriptors of the process. When there are none left, libuv closes whoever connects without a word, and neither editor nor status
// port answer. So connections are refused while some are left for those.
import { readFileSync } from 'node:fs'
import type { Socket } from 'node:net'

const LEAST_RESERVED = 16
const MAX_RESERVED = 512
const RESERVED_SHARE = 4

/** How many there may be, and how many of them are reserved for editor and status port. */
export type DescriptorLimit = { limit: number; reserved: number }

/** Watches over the descriptors of this process. */
export function createDescriptors() {
  let known: DescriptorLimit | undefined
  let refusals = 0

  /** What the system allows this process; no limit where it does not say. */
  function limits(): DescriptorLimit {
    return (known ??= withReserve(readLimit()))
  }

  return {
    limits,
    /** Whether a connection that was just accepted has taken a reserved descriptor. */
    areOut(socket: Socket): boolean {
      // The kernel assigns the lowest free number, so a high one means that all below it are taken.
      const { fd = -1 } = (socket as Socket & { _handle?: { fd?: number } })._handle ?? {}
      const { limit, reserved } = limits()
      const isOut = fd >= limit - reserved
      if (isOut) refusals += 1
      return isOut
    },
    /** How many connections were refused because descriptors were short. */
    refusals: (): number => refusals,
  }
}

export type Descriptors = ReturnType<typeof createDescriptors>

function withReserve(limit: number): DescriptorLimit {
  const reserved = Math.min(MAX_RESERVED, Math.max(LEAST_RESERVED, Math.floor(limit / RESERVED_SHARE)))
  return { limit, reserved }
}

/** https://www.kernel.org/doc/html/latest/filesystems/proc.html; Node.js has raised the soft limit to the hard one at its start. */
function readLimit(): number {
  try {
    const [, soft = ''] = /^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8')) ?? []
    return soft === '' ? Infinity : Number(soft)
  } catch {
    return Infinity
  }
}
