import { formatValue, median, percentile } from '../figures.ts'
import { formatTable } from '../table.ts'
import type { DeployTimes } from './deploys.ts'
import type { Way, WayFigures } from './ways.ts'

export type PortsReport = { deploys: DeployTimes[]; ways: Record<Way, WayFigures[]>; address: string }

// What live ports promise.
const REACHABLE_P95_MS = 2_000
const CLOSED_MS = 2_000

const STEPS: { key: keyof DeployTimes; title: string; limitMs?: number }[] = [
  { key: 'listening', title: 'deploy → Node-RED listens' },
  { key: 'started', title: 'deploy → forwarder runs' },
  { key: 'firstByte', title: 'deploy → first byte comes back', limitMs: REACHABLE_P95_MS },
  { key: 'closed', title: 'delete → connections are refused', limitMs: CLOSED_MS },
]

/** Two tables in Markdown: times of deploys, and both ways side by side. */
export function formatPorts({ deploys, ways, address }: PortsReport): string {
  const times = STEPS.map(({ key, title, limitMs }) => {
    const values = deploys.map((deploy) => deploy[key])
    const [p50, p95] = [percentile(values, 50), percentile(values, 95)]
    const goal = limitMs === undefined ? ['–', '–'] : [`p95 ≤ ${limitMs} ms`, p95 <= limitMs ? 'yes' : 'no']
    return [title, 'ms', formatValue(p50), formatValue(p95), formatValue(Math.max(...values)), ...goal]
  })
  const of = (way: 'range' | 'forwarder', key: 'throughput' | 'latency') => median(ways[way].map((figures) => figures[key]))
  const [fast, slow] = [of('range', 'throughput'), of('forwarder', 'throughput')]
  const [direct, relayed] = [of('range', 'latency'), of('forwarder', 'latency')]
  return [
    formatTable(['Live ports', 'Unit', 'p50', 'p95', 'max', 'Goal', 'Met'], times),
    '',
    formatTable(
      ['Echo, one connection', 'Unit', 'range', 'forwarder', 'forwarder / range', 'added'],
      [
        ['throughput', 'MiB/s', formatValue(fast), formatValue(slow), formatValue(slow / fast), '–'],
        [
          '64 bytes there and back',
          'µs',
          formatValue(direct),
          formatValue(relayed),
          formatValue(relayed / direct),
          formatValue(relayed - direct),
        ],
      ],
    ),
    '',
    `${deploys.length} deploys one after the other in containers as docker-compose.yml has them, with the relay's image present and watch as a process of the machine. Both ways by ${address}.`,
  ].join('\n')
}

/** One object for each figure, as those of the workloads. */
export function portsToJson({ deploys, ways }: PortsReport): object[] {
  const times = STEPS.map(({ key, title }) => {
    const rounds = deploys.map((deploy) => deploy[key])
    return {
      workload: 'ports',
      subject: 'forwarder',
      metric: title,
      unit: 'ms',
      value: percentile(rounds, 50),
      p95: percentile(rounds, 95),
      rounds,
    }
  })
  const sides = Object.entries(ways).flatMap(([subject, figures]) =>
    (['throughput', 'latency'] as const).map((metric) => {
      const rounds = figures.map((round) => round[metric])
      return { workload: 'ports', subject, metric, unit: metric === 'throughput' ? 'MiB/s' : 'µs', value: median(rounds), rounds }
    }),
  )
  return [...times, ...sides]
}

/** Whether what is promised is kept. */
export function portsGoalsMet({ deploys }: PortsReport): boolean {
  return STEPS.every(
    ({ key, limitMs }) =>
      limitMs === undefined ||
      percentile(
        deploys.map((deploy) => deploy[key]),
        95,
      ) <= limitMs,
  )
}
