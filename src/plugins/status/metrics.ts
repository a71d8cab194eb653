import { collectDefaultMetrics, Counter, Gauge, Registry as MetricsRegistry } from 'prom-client'
import type { Engine } from '../../tcp/engine.ts'
import type { Observer } from '../../tcp/observer.ts'

/** Prometheus metrics of the process and of TCP by port. */
export function createMetrics(observer: Observer, { budget, counters, descriptors }: Engine): MetricsRegistry {
  const metrics = new MetricsRegistry()
  collectDefaultMetrics({ register: metrics })

  const labelNames = ['port', 'direction'] as const
  const readings = [
    ['node_red_tcp_sockets_open', 'TCP connections that are open', 'gauge', 'open'],
    ['node_red_tcp_sockets_accepted_total', 'TCP connections accepted (direction in) or made (direction out)', 'counter', 'opened'],
    ['node_red_tcp_sockets_closed_total', 'TCP connections closed', 'counter', 'closed'],
    ['node_red_tcp_bytes_in_total', 'Bytes received over TCP', 'counter', 'bytesIn'],
    ['node_red_tcp_bytes_out_total', 'Bytes sent over TCP', 'counter', 'bytesOut'],
  ] as const
  for (const [name, help, kind, field] of readings) {
    const collect = function (this: Counter<'port' | 'direction'> | Gauge<'port' | 'direction'>) {
      this.reset()
      for (const row of observer.traffic()) this.inc({ port: row.port, direction: row.direction }, row[field])
    }
    const options = { name, help, labelNames, registers: [metrics], collect }
    if (kind === 'gauge') new Gauge(options)
    else new Counter(options)
  }

  const counted = [
    ['node_red_tcp_refused_total', 'Connections refused', 'refused'],
    ['node_red_tcp_slow_peer_disconnects_total', 'Peers disconnected because they took their bytes too slowly', 'slowPeerDisconnects'],
    ['node_red_tcp_messages_in_total', 'Messages that tcp nodes have made of what they received', 'framesIn'],
    ['node_red_tcp_messages_out_total', 'Messages that tcp nodes have written, one for each peer', 'writesOut'],
  ] as const
  for (const [name, help, field] of counted) {
    new Counter({
      name,
      help,
      labelNames,
      registers: [metrics],
      collect() {
        this.reset()
        for (const row of counters.all()) this.inc({ port: row.port, direction: row.direction }, row[field])
      },
    })
  }

  new Counter({
    name: 'node_red_tcp_descriptor_refusals_total',
    help: 'Connections refused because the process had no file descriptors left but those kept for editor and status port',
    registers: [metrics],
    collect() {
      this.reset()
      this.inc(descriptors.refusals())
    },
  })
  new Gauge({
    name: 'node_red_tcp_memory_limit_bytes',
    help: 'What all connections and queues of tcp nodes together may hold (TCP_MEMORY)',
    registers: [metrics],
    collect() {
      this.set(budget.limit)
    },
  })
  new Gauge({
    name: 'node_red_tcp_memory_held_bytes',
    help: 'What they hold: received and not passed on yet, or not sent yet',
    labelNames: ['kind'],
    registers: [metrics],
    collect() {
      this.set({ kind: 'received' }, budget.received)
      this.set({ kind: 'unsent' }, budget.unsent)
    },
  })
  new Counter({
    name: 'node_red_tcp_memory_closed_total',
    help: 'Connections that were closed and queues that were emptied since all together held too much',
    registers: [metrics],
    collect() {
      this.reset()
      this.inc(budget.evicted)
    },
  })

  new Gauge({
    name: 'node_red_tcp_listeners',
    help: 'TCP ports that this process listens on',
    labelNames: ['port'],
    registers: [metrics],
    collect() {
      this.reset()
      for (const { port } of observer.listeners()) this.set({ port }, 1)
    },
  })
  new Counter({
    name: 'node_red_tcp_listen_errors_total',
    help: 'Attempts to listen that failed',
    labelNames: ['port', 'code'],
    registers: [metrics],
    collect() {
      this.reset()
      for (const { port, code, count } of observer.listenErrors()) this.inc({ port, code }, count)
    },
  })
  return metrics
}
