/** What is counted by port, for metrics. */
export type CounterName = 'refused' | 'slowPeerDisconnects' | 'framesIn' | 'writesOut' | 'bytesSkipped'

const counters = new Map<string, Record<CounterName, number>>()
const MAX_PORTS = 1_000
const OTHER_PORTS = 0

/** The counters of a port: the listener's for connections that came in, the peer's for those that were made. */
export function countersOf(direction: 'in' | 'out', port: number): Record<CounterName, number> {
  const key = counters.has(`${direction} ${port}`) || counters.size < MAX_PORTS ? `${direction} ${port}` : `${direction} ${OTHER_PORTS}`
  let found = counters.get(key)
  if (!found) counters.set(key, (found = { refused: 0, slowPeerDisconnects: 0, framesIn: 0, writesOut: 0, bytesSkipped: 0 }))
  return found
}

/** All counters with their direction and port. */
export function allCounters(): ({ direction: string; port: number } & Record<CounterName, number>)[] {
  return [...counters].map(([key, values]) => {
    const [direction = '', port] = key.split(' ')
    return { direction, port: Number(port), ...values }
  })
}
