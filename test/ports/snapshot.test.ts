import { expect, test } from 'vitest'
import { parseLabels } from '../../src/ports/docker/labels.ts'
import { parseSnapshot } from '../../src/ports/docker/snapshot.ts'

const FACT = { port: 15502, state: 'listening', role: 'flow', address: '::', declaredBy: [] }

function listenersOf(...listeners: unknown[]) {
  return parseSnapshot(JSON.stringify({ flows: 'started', listeners, clients: [] })).listeners
}

test.each([1.5, 0, -1, 65_536, '15502', null, [15502], { port: 1 }])('a listener on %j is none that could be published', (port) => {
  expect(listenersOf({ ...FACT, port }, FACT)).toEqual([FACT])
})

test.each([{ state: 'x' }, { role: 'x' }, { address: 1 }, { declaredBy: 'x' }])('nor is one with %j', (odd) => {
  expect(listenersOf({ ...FACT, ...odd }, null, 'text', FACT)).toEqual([FACT])
})

test('one that failed keeps the number that is no port', () => {
  const failed = { ...FACT, port: 70_000, state: 'failed' }
  expect(listenersOf(failed)).toEqual([failed])
})

test.each(['null', '[]', '{}', '{"flows":"x","listeners":[],"clients":[]}', '{"flows":"started","listeners":{},"clients":[]}'])(
  'what is no snapshot is refused: %s',
  (text) => {
    expect(() => parseSnapshot(text)).toThrow()
  },
)

test.each(['1.5', '', '0', '65536', 'x'])('a container labelled with port "%s" is no forwarder', (port) => {
  const labels = { 'node-red-tcp.port': port, 'node-red-tcp.host-port': '15502' }
  expect(parseLabels(labels)).toBeUndefined()
  expect(parseLabels({ ...labels, 'node-red-tcp.port': '15502', 'node-red-tcp.host-port': port })).toBeUndefined()
})
