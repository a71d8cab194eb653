/** What is counted by port, for metrics. */
export type CounterName = 'refused' | 'slowPeerDisconnects' | 'framesIn' | 'writesOut' | 'bytesSkipped'

/** The counters of one port. */
export type PortCounters = Record<CounterName, number>

const MAX_PORTS = 1_000
const OTHER_PORTS = 0

/** Counters for up to 1,000 ports; all further ports share those of port 0. */
export function createCounters() {
  const counters = new Map<string, PortCounters>()
  return {
    /** The counters of a port: the listener's for connections that came in, the peer's for those that were made. */
    of(direction: 'in' | 'out', port: number): PortCounters {
      const key = counters.has(`${direction} ${port}`) || counters.size < MAX_PORTS ? `${direction} ${port}` : `${direction} ${OTHER_PORTS}`
      let found = counters.get(key)
      if (!found) counters.set(key, (found = { refused: 0, slowPeerDisconnects: 0, framesIn: 0, writesOut: 0, bytesSkipped: 0 }))
      return found
    },
    /** All counters with their direction and port. */
    all(): ({ direction: string; port: number } & PortCounters)[] {
      return [...counters].map(([key, values]) => {
        const [direction = '', port] = key.split(' ')
        return { direction, port: Number(port), ...values }
      })
    },
  }
}

export type Counters = ReturnType<typeof createCounters>
