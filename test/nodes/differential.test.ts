import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { EmbeddedNodeRedTcp, type StartedEmbeddedNodeRedTcp } from '../../src/testing/embedded-node-red-tcp.ts'
import { isSame } from './differential/differences.ts'
import { play, type Observation } from './differential/play.ts'
import { scenarios, type Scenario } from './differential/scenario.ts'

const SCENARIOS_PER_SEED = 12
const SEEDS = seedsOf(process.env.DIFFERENTIAL_SEEDS || '1-4')

// Random flows of stock properties, and random traffic, played on Node-RED's own nodes and on ours. A seed gives the same scenarios every time:
// DIFFERENTIAL_SEEDS=1-500 npm test -- test/nodes/differential.test.ts
describe('random flows do the same as in Node-RED', () => {
  let core: StartedEmbeddedNodeRedTcp
  let ours: StartedEmbeddedNodeRedTcp

  beforeAll(async () => {
    const start = (mode: string) => new EmbeddedNodeRedTcp().withEnvironment({ TCP_NODES: mode }).start()
    ;[core, ours] = await Promise.all([start('core'), start('hardened')])
  })
  afterAll(async () => {
    await Promise.all([core, ours].map((nodeRed) => nodeRed[Symbol.asyncDispose]()))
  })

  test.each(SEEDS)('seed %i', async (seed) => {
    const played = fc.sample(scenarios, { seed, numRuns: SCENARIOS_PER_SEED })
    const [coreSeen, oursSeen] = await Promise.all([play(played, core), play(played, ours)])
    const wrong = played.flatMap((scenario, index) => compare(scenario, { core: coreSeen[index]!, ours: oursSeen[index]! }))
    expect(wrong).toEqual([])
  })
})

/** What differs and is not documented to. */
function compare(scenario: Scenario, seen: { core: Observation; ours: Observation }): string[] {
  if (isSame(scenario, seen)) return []
  return [[scenario, seen.core, seen.ours].map((part) => JSON.stringify(part, readable)).join('\n')]
}

function readable(_key: string, value: { type?: string; data?: number[] } | null): unknown {
  return value?.type === 'Buffer' ? Buffer.from(value.data!).toString('latin1') : value
}

function seedsOf(range: string): number[] {
  const [first = NaN, last = first] = range.split('-').map(Number)
  if (!(first <= last)) throw new Error(`DIFFERENTIAL_SEEDS is "${range}"; expected a seed or a range such as 1-500`)
  return Array.from({ length: last - first + 1 }, (_, index) => first + index)
}
