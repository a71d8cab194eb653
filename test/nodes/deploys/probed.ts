import { join } from 'node:path'
import type { AdminClient } from '../../../src/testing/admin-client.ts'
import { EmbeddedNodeRedTcp } from '../../../src/testing/embedded-node-red-tcp.ts'

const RECONNECT_MS = 300

type Seen = { payload?: unknown; status?: Record<string, unknown>; error?: { message: string; code?: string }; complete?: object }

/** A distribution that has the probe node. Nodes have `closeTimeoutMs` for closing, which is 15 s otherwise. */
export function withProbe({ closeTimeoutMs = 15_000 }: { closeTimeoutMs?: number } = {}): EmbeddedNodeRedTcp {
  return new EmbeddedNodeRedTcp()
    .withNode(join(import.meta.dirname, 'probe.ts'))
    .withCommand(['-D', `nodeCloseTimeout=${closeTimeoutMs}`, '-D', `socketReconnectTime=${RECONNECT_MS}`])
}

/** What probes of this name have got, in order, and how many they have sent. */
export async function probed(admin: AdminClient, name: string): Promise<{ seen: Seen[]; sent: number }> {
  const all = (await (await admin.request('/probe')).json()) as { seen: Record<string, Seen[]>; sent: Record<string, number> }
  return { seen: all.seen[name] ?? [], sent: all.sent[name] ?? 0 }
}
