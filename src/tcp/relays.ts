// Forwarders that have announced that they relay devices. Each is trusted for one port, for a limited time.
import { normalizeAddress } from './access-list.ts'

const MAX_RELAYS = 200
// Who is silent for a moment and goes on sending headers is refused; they must not pass for a device's bytes.
const REMEMBERED_MS = 600_000

/** Keeps up to 200 forwarders; beyond that, the one silent for longest is forgotten. */
export function createRelays() {
  /** By `port address`: when trust ends. */
  const relays = new Map<string, number>()
  return {
    /** Trusts an address to name devices by the PROXY protocol on one port, until a time in milliseconds since the epoch. */
    announce(port: number, address: string, untilMs: number): void {
      const key = keyOf(port, address)
      // The one that was silent for longest stands first.
      relays.delete(key)
      if (relays.size >= MAX_RELAYS) relays.delete(relays.keys().next().value!)
      relays.set(key, untilMs)
    },
    /** Withdraws trust: this forwarder sends no headers. */
    forget(port: number, address: string): void {
      relays.delete(keyOf(port, address))
    },
    /** Whether a connection from this address to this port begins with a PROXY header that can be trusted. */
    has(port: number, address: string): boolean {
      return (relays.get(keyOf(port, address)) ?? 0) > Date.now()
    },
    /** Whether a port has, or lately had, forwarders: then a PROXY header from anyone else is forged. */
    serve(port: number): boolean {
      const oldest = Date.now() - REMEMBERED_MS
      for (const [key, until] of relays) if (until > oldest && key.startsWith(`${port} `)) return true
      return false
    },
  }
}

export type Relays = ReturnType<typeof createRelays>

function keyOf(port: number, address: string): string {
  return `${port} ${normalizeAddress(address)}`
}
