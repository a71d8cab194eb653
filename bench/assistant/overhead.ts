import { say } from '../../src/cli/terminal.ts'
import { MESSAGE_BYTES } from '../clients.ts'
import { formatValue } from '../figures.ts'
import type { LoadJob } from '../load.ts'
import type { PartOptions } from '../part.ts'
import { runLoad } from '../run-load.ts'
import { answers, startServer } from '../server.ts'
import type { Measurement } from '../workload.ts'
import type { Control } from './control.ts'
import type { SendJob } from './send-load.ts'

const TIMEOUT_MS = 60_000
const ECHO = 'echo-1'
const SIDES = ['assistant', 'bare'] as const

export const TASKS = [
  { name: 'reply', title: `Reply to ${MESSAGE_BYTES} bytes by a rule, one connection`, unit: 'req/s' },
  { name: 'receive', title: 'Receive as fast as it comes, one connection', unit: 'MiB/s' },
] as const
type Task = (typeof TASKS)[number]['name']
export type Side = (typeof SIDES)[number]
export type Overhead = Record<Task, Record<Side, number[]>>

/** The assistant's endpoints, log and rules included, beside a server on node:net that does the same; in turn, round by round. */
export async function measureOverhead(
  { control, ports, pid }: { control: Control; ports: Record<Task, Record<Side, number>>; pid: number },
  { rounds, windowMs, place, signal }: PartOptions,
): Promise<Overhead> {
  const overhead: Overhead = { reply: { assistant: [], bare: [] }, receive: { assistant: [], bare: [] } }
  const run: Record<Task, (side: Side) => Promise<Measurement>> = {
    reply: (side) => {
      const job: LoadJob = { workload: ECHO, ports: { in: ports.reply[side], out: 0 }, pid, windowMs }
      return runLoad<Measurement>('load.ts', job, { timeoutMs: TIMEOUT_MS, signal })
    },
    receive: (side) => {
      const job: SendJob = { port: ports.receive[side], windowMs }
      return runLoad<Measurement>('assistant/send-load.ts', job, { timeoutMs: TIMEOUT_MS, signal })
    },
  }
  const args = [String(ports.reply.bare), String(ports.receive.bare)]
  const bare = await startServer(
    { script: 'bench/assistant/bare.ts', args, env: {} },
    { what: 'bare', flow: [], isReady: async () => (await answers(ports.reply.bare)) && answers(ports.receive.bare), place, signal },
  )
  const endpoints = await openEndpoints(control, ports)
  try {
    for (let round = 0; round < rounds; round += 1) {
      for (const { name, unit } of TASKS) {
        for (const side of round % 2 === 0 ? SIDES : SIDES.toReversed()) {
          signal.throwIfAborted()
          const { value } = await run[name](side)
          overhead[name][side].push(value)
          say(`assistant · ${name} · round ${round + 1}/${rounds} · ${side}: ${formatValue(value)} ${unit}`)
        }
      }
    }
  } finally {
    await bare.stop()
  }
  for (const endpoint of endpoints) await control.ask('remove', { endpoint })
  return overhead
}

async function openEndpoints(control: Control, ports: Record<Task, Record<Side, number>>): Promise<string[]> {
  const [replying, receiving] = [await control.listen(ports.reply.assistant), await control.listen(ports.receive.assistant)]
  const text = 'x'.repeat(MESSAGE_BYTES)
  const reply = { mode: 'text', text, encoding: 'utf8', escapes: false, ending: '', macros: false } as const
  await control.ask('rules', { endpoint: replying, rules: [{ when: { by: 'contains', pattern: 'x' }, reply }] })
  return [replying, receiving]
}
