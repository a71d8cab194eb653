import { expect, test } from 'vitest'
import { diagnose, needsMending } from '../../src/ports/shared/diagnosis.ts'
import type { ClientFact, ListenerFact, Publication, PublishFailure, Reach } from '../../src/ports/shared/facts.ts'

const NODE = { node: 'n1', type: 'tcp in', name: 'meters', flow: 'line 1' }
const RANGE: Publication = { port: 9501, by: 'range', address: '0.0.0.0', hostPort: 9501 }
const FORWARDER: Publication = { port: 15502, by: 'forwarder', address: '0.0.0.0', hostPort: 15502 }

function listener(fact: Partial<ListenerFact> = {}): ListenerFact {
  return { port: 15502, state: 'listening', role: 'flow', address: '::', clients: 0, declaredBy: [NODE], ...fact }
}

function mapped(publications: Publication[] = [], failures: PublishFailure[] = []): Reach {
  return { kind: 'mapped', publications, failures }
}

function rowsOf(facts: ListenerFact[], reach: Reach, clients: ClientFact[] = []) {
  return diagnose({ flows: 'started', listeners: facts, clients }, reach)
}

/** The problems of the only row. */
function problemsOf(fact: Partial<ListenerFact>, reach: Reach) {
  return rowsOf([listener(fact)], reach).flatMap(({ problems }) => problems)
}

test('NOT_PUBLISHED: nobody publishes the port', () => {
  expect(problemsOf({}, mapped([RANGE]))).toEqual([
    { code: 'NOT_PUBLISHED', params: { port: 15502 }, fix: 'npm run ports -- publish 15502' },
  ])
})

test.each([
  ['EADDRINUSE', 'give the node "meters" on "line 1" another port, or delete the other node on 15502'],
  ['EACCES', 'change port or address of the node "meters" on "line 1"'],
])('LISTEN_FAILED: %s', (code, fix) => {
  expect(problemsOf({ state: 'failed', error: { code, message: 'why' } }, { kind: 'direct' })).toEqual([
    { code: 'LISTEN_FAILED', params: { port: 15502, reason: 'why', errno: code }, fix },
  ])
})

test('HOST_PORT_TAKEN: names the holder and another port of the host', () => {
  const failure: PublishFailure = { port: 15502, hostPort: 15502, code: 'HOST_PORT_TAKEN', holder: 'nginx' }
  expect(problemsOf({}, mapped([], [failure]))).toEqual([
    {
      code: 'HOST_PORT_TAKEN',
      params: { port: 15502, hostPort: 15502, holder: 'nginx' },
      fix: 'npm run ports -- publish 15502 --host-port 15503',
    },
  ])
  const last: PublishFailure = { port: 65535, hostPort: 65535, code: 'HOST_PORT_TAKEN' }
  expect(problemsOf({ port: 65535 }, mapped([], [last]))[0]?.fix).toBe('npm run ports -- publish 65535 --host-port 65534')
})

test('PUBLISH_REFUSED: says why', () => {
  const failure: PublishFailure = { port: 15502, hostPort: 15502, code: 'REFUSED', detail: 'no permission' }
  expect(problemsOf({}, mapped([], [failure]))).toEqual([
    { code: 'PUBLISH_REFUSED', params: { port: 15502, reason: 'no permission' }, fix: 'npm run ports -- publish 15502' },
  ])
})

test('a port that is published all the same has no problem', () => {
  const failure: PublishFailure = { port: 15502, hostPort: 15502, code: 'HOST_PORT_TAKEN' }
  expect(problemsOf({}, mapped([FORWARDER], [failure]))).toEqual([])
})

test('NOTHING_LISTENS: a forwarder without a listener', () => {
  expect(rowsOf([], mapped([FORWARDER]))).toEqual([
    {
      kind: 'listener',
      port: 15502,
      declaredBy: [],
      state: 'nothing',
      published: [FORWARDER],
      clients: 0,
      problems: [{ code: 'NOTHING_LISTENS', params: { port: 15502 }, fix: 'npm run ports -- unpublish 15502' }],
    },
  ])
})

test('LOOPBACK_INSIDE: a listener that only the container itself reaches', () => {
  const declared = problemsOf({ address: '127.0.0.1' }, mapped([FORWARDER]))
  expect(declared).toMatchObject([{ code: 'LOOPBACK_INSIDE', fix: 'clear the bind address of the node "meters"' }])
  const other = problemsOf({ address: '::1', declaredBy: [] }, mapped())
  expect(other).toMatchObject([{ code: 'LOOPBACK_INSIDE', fix: 'let what listens on ::1 port 15502 listen on 0.0.0.0' }])
})

test('LOOPBACK_ONLY: published where other machines do not reach it', () => {
  const range = problemsOf({ port: 9501 }, mapped([{ ...RANGE, address: '127.0.0.1' }]))
  expect(range).toMatchObject([{ code: 'LOOPBACK_ONLY', fix: 'TCP_BIND=0.0.0.0 in .env, then: docker compose up --wait' }])
  const forwarder = problemsOf({}, mapped([{ ...FORWARDER, address: '127.0.0.1' }]))
  expect(forwarder).toMatchObject([{ code: 'LOOPBACK_ONLY', fix: 'npm run ports -- publish 15502 --bind 0.0.0.0' }])
})

test('NO_ANSWER: a connection that cannot be made, and only that', () => {
  const client: ClientFact = { host: 'device', port: 9601, state: 'waiting', error: 'refused', usedBy: NODE }
  const [waiting] = rowsOf([], { kind: 'direct' }, [client])
  expect(waiting).toMatchObject({
    kind: 'client',
    problems: [{ code: 'NO_ANSWER', params: { host: 'device', port: 9601, reason: 'refused' } }],
  })
  expect(waiting?.problems[0]?.fix).toMatch(/start Node-RED again$/)
  expect(rowsOf([], mapped(), [client])[0]?.problems[0]?.fix).toMatch(/docker compose up --wait$/)
  const others = rowsOf([], { kind: 'direct' }, [
    { ...client, state: 'connected' },
    { ...client, state: 'connecting' },
  ])
  expect(needsMending(others)).toBe(false)
})

test.each<Reach>([{ kind: 'direct' }, { kind: 'unknown' }, { ...mapped(), partial: true } as Reach])(
  'says nothing of publication where it cannot know: $kind',
  (reach) => expect(problemsOf({}, reach)).toEqual([]),
)

test('editor and status port are nobody’s concern, and listeners come before clients', () => {
  const client: ClientFact = { host: 'device', port: 1, state: 'connected', usedBy: NODE }
  const facts = [listener({ port: 1880, role: 'editor' }), listener({ port: 1881, role: 'status' }), listener(), listener({ port: 9501 })]
  const rows = rowsOf(facts, mapped([RANGE, FORWARDER]), [client])
  expect(rows.map(({ kind, port }) => [kind, port])).toEqual([
    ['listener', 9501],
    ['listener', 15502],
    ['client', 1],
  ])
})
