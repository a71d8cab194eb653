import type { FlowNode } from './flows.ts'

/** Where a subject listens: `in` takes the load's bytes, `out` serves those who receive only. */
export type Ports = { in: number; out: number }

/** What the load process is told: whom to load, for how long, and the process whose memory counts. */
export type LoadContext = { ports: Ports; pid: number; windowMs: number }

export type Measurement = { value: number; note?: string }

export type Goal = { atLeast: number; times: 'core' | 'bare' } | { atMost: number; times: 'core' | 'bare' } | { atMost: number }

/** One thing to measure: the same behaviour as a flow and by hand, and the load for both. */
export type Workload = {
  name: string
  title: string
  metric: string
  unit: string
  higherIsBetter: boolean
  goals: readonly Goal[]
  /** A process of its own for every round, where what it did before would show. */
  freshProcess?: boolean
  /** What all three subjects have in their environment besides. */
  env?: Record<string, string>
  timeoutMs: number
  flow: (ports: Ports) => FlowNode[]
  /** What somebody would write on node:net for the same purpose. */
  serve: (ports: Ports) => void
  load: (context: LoadContext) => Promise<Measurement>
}
