import { describe, expect, test } from 'vitest'
import { createFailedPorts } from '../../src/ports/docker/backoff.ts'
import { requireApi } from '../../src/ports/docker/docker.ts'
import type { Forwarder } from '../../src/ports/docker/forwarders.ts'
import { parseRanges, type Policy } from '../../src/ports/docker/policy.ts'
import { reconcile } from '../../src/ports/docker/reconcile.ts'
import type { ListenerFact, PortsSnapshot } from '../../src/ports/shared/facts.ts'

type Flows = PortsSnapshot['flows']

const POLICY: Policy = { allowPrivileged: false, deny: [], max: 50, bind: undefined }
const NETWORK = { id: 'net', name: 'x_default', address: '172.18.0.2', internal: false }
const NODE_RED = {
  published: [{ port: 9500, by: 'range' as const, address: '0.0.0.0', hostPort: 9500 }],
  networks: [NETWORK],
  bind: '0.0.0.0',
  direct: false,
}

function listens(port: number, more: Partial<ListenerFact> = {}): ListenerFact {
  return { port, state: 'listening', role: 'flow', address: '::', proxy: true, declaredBy: [], ...more }
}

function forwards(port: number, more: Partial<Forwarder> = {}): Forwarder {
  const place = { port, hostPort: port, bind: '0.0.0.0', origin: 'watch' as const }
  return { ...place, id: `id-${port}`, name: `x-port-${port}`, state: 'running', healthy: true, networks: ['net'], ...more }
}

function actionsOf(
  listeners: ListenerFact[],
  forwarders: Forwarder[] = [],
  { policy = POLICY, flows = 'started', nodeRed = NODE_RED }: { policy?: Policy; flows?: Flows; nodeRed?: typeof NODE_RED } = {},
): string[] {
  const { actions, denials } = reconcile({ snapshot: { flows, listeners, clients: [] }, nodeRed, forwarders }, policy)
  return [
    ...actions.map((action) => `${action.kind} ${'spec' in action ? action.spec.port : action.forwarder.port}`),
    ...denials.map(({ port }) => `deny ${port}`),
  ]
}

describe('reconcile', () => {
  test('publishes what flows listen on and nothing else publishes', () => {
    expect(actionsOf([listens(15502), listens(9500), listens(15503, { proxy: false })])).toEqual(['create 15502', 'create 15503'])
  })

  test('leaves out editor, status port, failed listeners and those on loopback', () => {
    const others = [listens(1880, { role: 'editor' }), listens(1881, { role: 'status' }), listens(15502, { state: 'failed' })]
    expect(actionsOf([...others, listens(15503, { address: '127.0.0.1' })])).toEqual([])
  })

  test('has nothing to do when all is there', () => {
    expect(actionsOf([listens(15502)], [forwards(15502)])).toEqual([])
  })

  test('takes away what watch has started, and only while the flows run', () => {
    const forwarders = [forwards(15502), forwards(15503, { origin: 'publish' })]
    expect(actionsOf([], forwarders)).toEqual(['remove 15502'])
    expect(actionsOf([], forwarders, { flows: 'starting' })).toEqual([])
    expect(actionsOf([], forwarders, { flows: 'stopped' })).toEqual([])
  })

  test('takes away what the container publishes itself now', () => {
    expect(actionsOf([listens(9500)], [forwards(9500)])).toEqual(['remove 9500'])
  })

  test('starts what has ended, by whomever it was started', () => {
    expect(actionsOf([listens(15502)], [forwards(15502, { state: 'exited', origin: 'publish' })])).toEqual(['start 15502'])
    expect(actionsOf([listens(15502)], [forwards(15502, { state: 'created' })])).toEqual(['start 15502'])
    expect(actionsOf([listens(15502)], [forwards(15502, { state: 'restarting' })])).toEqual([])
  })

  test('replaces what has lost its network, not what somebody put elsewhere', () => {
    expect(actionsOf([listens(15502)], [forwards(15502, { networks: ['old'] })])).toEqual(['replace 15502'])
    expect(actionsOf([listens(15502)], [forwards(15502, { bind: '127.0.0.1', hostPort: 15600 })])).toEqual([])
  })

  test('publishes ports below 1024 and denied ones only when told to', () => {
    const listeners = [listens(502), listens(5005), listens(15502)]
    expect(actionsOf(listeners, [], { policy: { ...POLICY, deny: parseRanges('5000-5010')! } })).toEqual([
      'create 15502',
      'deny 502',
      'deny 5005',
    ])
    expect(actionsOf([listens(502)], [], { policy: { ...POLICY, allowPrivileged: true } })).toEqual(['create 502'])
  })

  test('leaves what another watcher has published, though it would not itself', () => {
    expect(actionsOf([listens(5005)], [forwards(5005)], { policy: { ...POLICY, deny: parseRanges('5005')! } })).toEqual([])
  })

  test('publishes no more than it may; what people have published does not count', () => {
    const listeners = [listens(15502), listens(15503), listens(15504), listens(15505)]
    const forwarders = [forwards(15502), forwards(15503, { origin: 'publish' })]
    expect(actionsOf(listeners, forwarders, { policy: { ...POLICY, max: 2 } })).toEqual(['create 15504', 'deny 15505'])
  })

  test('brings back what people have published, whoever listens, and not what the container publishes itself now', () => {
    const kept = [15502, 15503, 9500].map((port) => ({ port, hostPort: port + 1, bind: '127.0.0.1', origin: 'publish' as const }))
    const situation = { snapshot: { flows: 'started' as const, listeners: [listens(15502)], clients: [] }, nodeRed: NODE_RED }
    const { actions } = reconcile({ ...situation, forwarders: [], kept }, { ...POLICY, deny: parseRanges('15502')! })
    expect(actions).toEqual(kept.slice(0, 2).map((spec) => ({ kind: 'create', spec })))
    expect(
      reconcile({ ...situation, forwarders: kept.slice(0, 2).map((spec) => forwards(spec.port, spec)), kept }, POLICY).actions,
    ).toEqual([])
  })

  test("has nothing to do on the host's own network", () => {
    expect(actionsOf([listens(15502)], [], { nodeRed: { ...NODE_RED, direct: true } })).toEqual([])
  })
})

test('tries a port that failed again after 1, 2, 4, 8, then every 10 s, and at once when something has changed', () => {
  let now = 0
  const failed = createFailedPorts(() => now)
  const failure = { port: 15502, hostPort: 15502, code: 'HOST_PORT_TAKEN' as const }
  for (const pause of [1_000, 2_000, 4_000, 8_000, 10_000, 10_000]) {
    expect(failed.note(failure)).toBe(pause === 1_000)
    expect(failed.nextDueMs()).toBe(pause)
    now += pause - 1
    expect(failed.isDue(15502)).toBe(false)
    now += 1
    expect(failed.isDue(15502)).toBe(true)
  }
  failed.note(failure)
  failed.retryNow()
  expect(failed.isDue(15502)).toBe(true)
  failed.keepOnly(new Set([15503]))
  expect(failed.nextDueMs()).toBeUndefined()
})

test('reads ranges of ports', () => {
  expect(parseRanges('5000-5010, 6000')).toEqual([
    { first: 5000, last: 5010 },
    { first: 6000, last: 6000 },
  ])
  for (const wrong of ['', '0', '70000', '10-5', 'a', '1-', '1,,2', '1-2-3']) expect(parseRanges(wrong), wrong).toBeUndefined()
})

test('takes the API of Docker Engine 20.10 and newer ones', () => {
  for (const version of ['1.41', '1.50', '2.0']) expect(() => requireApi(version)).not.toThrow()
  for (const version of ['1.40', '1.9', '0.99']) expect(() => requireApi(version)).toThrow(`API is ${version}; at least 1.41 is needed`)
})
