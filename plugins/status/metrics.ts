import { collectDefaultMetrics, Counter, Gauge, Registry as MetricsRegistry } from 'prom-client'
import type { Registry } from '../../tcp/registry.ts'
import type { NodeRed } from '../node-red.ts'

/** Prometheus metrics of the process, of Node-RED's messages and of TCP by port. */
export function createMetrics(RED: NodeRed, registry: Registry): MetricsRegistry {
  const metrics = new MetricsRegistry()
  collectDefaultMetrics({ register: metrics })
  countMessages(RED, metrics)

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
      for (const row of registry.traffic()) this.inc({ port: row.port, direction: row.direction }, row[field])
    }
    const options = { name, help, labelNames, registers: [metrics], collect }
    if (kind === 'gauge') new Gauge(options)
    else new Counter(options)
  }

  new Gauge({
    name: 'node_red_tcp_listeners',
    help: 'TCP ports that this process listens on',
    labelNames: ['port'],
    registers: [metrics],
    collect() {
      this.reset()
      for (const { port } of registry.listeners()) this.set({ port }, 1)
    },
  })
  new Counter({
    name: 'node_red_tcp_listen_errors_total',
    help: 'Attempts to listen that failed',
    labelNames: ['port', 'code'],
    registers: [metrics],
    collect() {
      this.reset()
      for (const { port, code, count } of registry.listenErrors()) this.inc({ port, code }, count)
    },
  })
  return metrics
}

function countMessages(RED: NodeRed, metrics: MetricsRegistry): void {
  let received = 0
  // One parameter makes it a synchronous hook; without any, Node-RED would wait for a callback.
  RED.hooks.add('onReceive.node-red-tcp', (_event) => {
    received += 1
  })
  new Counter({
    name: 'node_red_messages_total',
    help: 'Messages that nodes have received',
    registers: [metrics],
    collect() {
      this.reset()
      this.inc(received)
    },
  })
}
