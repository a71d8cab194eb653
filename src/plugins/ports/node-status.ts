import type { NodeRed } from '../node-red.ts'

// The editor's side is resources/status.ts.
const TOPIC = 'node-red-tcp/status/'
const OURS = ['connections', 'listening', 'warning', 'failed', 'waiting'] as const

type StatusEvent = { id: string; status?: Record<string, unknown> }

/** Gives the editor what Node-RED does not: of a status it passes on colour, shape and text only. */
export function passOnStatus({ events, comms }: Pick<NodeRed, 'events' | 'comms'>): void {
  const known = new Set<string>()
  events.on('node-status', ({ id, status = {} }: StatusEvent) => {
    const ours = OURS.filter((name) => status[name] !== undefined)
    if (ours.length === 0 && !known.delete(id)) return
    if (ours.length > 0) known.add(id)
    const { text } = status
    comms.publish(TOPIC + id, { text, ...Object.fromEntries(ours.map((name) => [name, status[name]])) }, ours.length > 0)
  })
}
