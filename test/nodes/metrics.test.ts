import { EventEmitter } from 'node:events'
import { createRequire } from 'node:module'
import { beforeEach, expect, test } from 'vitest'
import { skipUnwantedMetrics } from '../../src/nodes/support/metrics.ts'
import type { NodeRed, RedNode } from '../../src/nodes/support/node-red.ts'

type Log = NonNullable<NodeRed['log']> & { init: (settings: object) => void; addHandler: (handler: EventEmitter) => void }

// Node-RED's own log and its own nodes, without flows.
const fromNodeRed = createRequire(createRequire(import.meta.url).resolve('node-red'))
const { log } = fromNodeRed('@node-red/util') as { log: Log }
const Node = fromNodeRed('@node-red/runtime/lib/nodes/Node') as new (config: object) => RedNode

const records: { event?: string; msgid?: string }[] = []

function createNode({ metrics }: { metrics: boolean }): RedNode {
  log.init({ logging: { test: { level: 'off', metrics, handler: () => () => {} } } })
  // Hears of whatever is made, wanted or not.
  log.addHandler(new EventEmitter().on('log', (record: (typeof records)[number]) => void records.push(record)))
  const node = new Node({ id: 'n1', type: 'tcp in' })
  skipUnwantedMetrics({ log }, node)
  return node
}

beforeEach(() => void records.splice(0))

test('a node makes the records of Node-RED where its metrics are on', () => {
  const node = createNode({ metrics: true })
  expect(node.metric!()).toBe(true)
  node.metric!('send', { _msgid: 'm1' }, 7)
  expect(records).toMatchObject([{ nodeid: 'n1', event: 'node.tcp in.send', msgid: 'm1', value: 7 }])
})

test('a node makes none where they are off', () => {
  const node = createNode({ metrics: false })
  expect(node.metric!()).toBe(false)
  node.metric!('send', { _msgid: 'm1' })
  expect(records).toEqual([])
})
