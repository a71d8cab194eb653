import { once } from 'node:events'
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { EmbeddedNodeRedTcp } from '../src/testing/embedded-node-red-tcp.ts'
import { freePort } from '../src/testing/free-port.ts'
import { describeRuntimes, type RunningNodeRedTcp } from './support/runtimes.ts'

const JSON_TYPE = { 'content-type': 'application/json' }
const PAGES = ['/healthz', '/readyz', '/metrics', '/listeners', '/sessions']

type Readiness = { ready: boolean; missing: { what: string; why: string }[]; warnings: { what: string; why: string }[] }

async function readyz(nodeRed: Pick<RunningNodeRedTcp, 'getStatusUrl'>): Promise<{ status: number; body: Readiness }> {
  const response = await fetch(`${nodeRed.getStatusUrl()}/readyz`)
  return { status: response.status, body: (await response.json()) as Readiness }
}

/** Waits until readiness tells what is missing. */
async function expectMissing(nodeRed: Pick<RunningNodeRedTcp, 'getStatusUrl'>, what: RegExp, why: RegExp): Promise<void> {
  await expect
    .poll(() => readyz(nodeRed), { timeout: 10_000 })
    .toMatchObject({
      status: 503,
      body: { ready: false, missing: [{ what: expect.stringMatching(what), why: expect.stringMatching(why) }] },
    })
}

function listeningTab(port: string, type = 'tcp in') {
  const options =
    type === 'tcp in'
      ? { server: 'server', datamode: 'stream', datatype: 'buffer', newline: '', topic: '', wires: [[]] }
      : { beserver: 'server', wires: [] }
  return [
    { id: 'ab20000000000001', type: 'tab', label: 'my tab' },
    { id: 'ab20000000000002', type, z: 'ab20000000000001', name: 'my node', host: '', port, tls: '', ...options },
  ]
}

describeRuntimes('status', (create) => {
  let nodeRed: RunningNodeRedTcp

  beforeAll(async () => void (nodeRed = await create().start()))
  afterAll(async () => await nodeRed[Symbol.asyncDispose]())

  test('answers GET on its pages and nothing else', async () => {
    for (const page of PAGES) {
      expect.soft((await fetch(`${nodeRed.getStatusUrl()}${page}`)).status, page).toBe(200)
      for (const method of ['POST', 'PUT', 'DELETE', 'PATCH', 'HEAD', 'OPTIONS']) {
        const response = await fetch(`${nodeRed.getStatusUrl()}${page}`, { method })
        expect.soft([response.status, response.headers.get('allow')], `${method} ${page}`).toEqual([405, 'GET'])
      }
    }
    expect((await fetch(`${nodeRed.getStatusUrl()}/flows`)).status).toBe(404)
    expect((await readyz(nodeRed)).body).toEqual({ ready: true, missing: [], warnings: [] })
  })

  test('counts sockets and bytes by port, and shows listeners and sessions', async () => {
    const port = await portOf(nodeRed, 'TCP response')
    await using client = await nodeRed.tcp(9503)
    await client.send('x'.repeat(1000))
    await client.expect('x'.repeat(1000))
    const metrics = async () => await (await fetch(`${nodeRed.getStatusUrl()}/metrics`)).text()
    const open = await metrics()
    for (const line of [
      `node_red_tcp_sockets_open{port="${port}",direction="in"} 1`,
      `node_red_tcp_sockets_accepted_total{port="${port}",direction="in"} 1`,
      `node_red_tcp_sockets_closed_total{port="${port}",direction="in"} 0`,
      `node_red_tcp_bytes_in_total{port="${port}",direction="in"} 1000`,
      `node_red_tcp_bytes_out_total{port="${port}",direction="in"} 1000`,
      `node_red_tcp_listeners{port="${port}"} 1`,
    ]) {
      expect(open).toContain(line)
    }
    expect(open).toContain(`node_red_tcp_messages_in_total{port="${port}",direction="in"} 1`)
    expect(open).toContain(`node_red_tcp_messages_out_total{port="${port}",direction="in"} 1`)
    expect(open).toContain('nodejs_eventloop_lag_seconds')
    expect(open).toContain('process_resident_memory_bytes')
    const sessions = (await (await fetch(`${nodeRed.getStatusUrl()}/sessions`)).json()) as Record<string, unknown>[]
    expect(sessions).toContainEqual(expect.objectContaining({ direction: 'in', localPort: port, bytesIn: 1000, bytesOut: 1000 }))
    client.reset()
    await expect.poll(metrics).toContain(`node_red_tcp_sockets_closed_total{port="${port}",direction="in"} 1`)
    expect(await metrics()).toContain(`node_red_tcp_bytes_in_total{port="${port}",direction="in"} 1000`)
  })

  test('is not ready while a flow names an unknown node type, and says which', async () => {
    const unknown = [
      { id: 'ab30000000000001', type: 'tab', label: 'odd' },
      { id: 'ab30000000000002', type: 'no-such-node', z: 'ab30000000000001', name: 'odd one', wires: [] },
    ]
    const admin = await nodeRed.admin
    await admin.request('/flows', { method: 'POST', headers: JSON_TYPE, body: JSON.stringify([...(await admin.flows()), ...unknown]) })
    await expectMissing(nodeRed, /flows\.json$/, /unknown node type "no-such-node" \(node odd one\)/)
    await admin.deploy((await admin.flows()).filter(({ id }) => !id.startsWith('ab3')))
    await expect.poll(async () => (await readyz(nodeRed)).status, { timeout: 10_000 }).toBe(200)
  })

  test('warns of a broken file in the source, by name, while the others run', async () => {
    await using half = await create()
      .withFlow('half', [{ id: 'no type' }])
      .start()
    const { status, body } = await readyz(half)
    expect(status).toBe(200)
    expect(body.warnings).toEqual([{ what: expect.stringMatching(/half\.json$/), why: 'left out: entry 0 has no "id" or no "type"' }])
  })

  test.each(['tcp in', 'tcp out'])('is not ready while a %s cannot listen, and is again once it is gone', async (type) => {
    const port = await portOf(nodeRed, 'TCP response')
    const admin = await nodeRed.admin
    const flows = await admin.flows()
    await admin.deploy([...flows, ...listeningTab(String(port), type)], 'nodes')
    await expectMissing(nodeRed, new RegExp(`^port ${port} \\(tcp`), /EADDRINUSE/)
    await admin.deploy(flows, 'full')
    await expect.poll(async () => (await readyz(nodeRed)).status, { timeout: 10_000 }).toBe(200)
  })

  test.each(['', '${NOT_SET_ANYWHERE}', 'abc'])('is not ready when a node should listen on "%s"', async (port) => {
    const admin = await nodeRed.admin
    const flows = await admin.flows()
    await admin.deploy([...flows, ...listeningTab(port)])
    await expectMissing(nodeRed, /my node" on "my tab"/, /is not a port number/)
    await admin.deploy(flows)
    await expect.poll(async () => (await readyz(nodeRed)).status).toBe(200)
  })
})

/** The port, inside, that a scenario listens on. */
async function portOf(nodeRed: RunningNodeRedTcp, flow: string): Promise<number> {
  let found: number | undefined
  await expect
    .poll(async () => {
      const listeners = (await (await fetch(`${nodeRed.getStatusUrl()}/listeners`)).json()) as {
        port: number
        declaredBy: { flow: string }[]
      }[]
      found = listeners.find(({ declaredBy }) => declaredBy.some((declared) => declared.flow === flow))?.port
      return found
    })
    .toBeDefined()
  return found!
}

test('a port that somebody else has makes it not ready', async () => {
  const port = await freePort()
  const other = createServer().listen(port, '0.0.0.0')
  await once(other, 'listening')
  await using nodeRed = await new EmbeddedNodeRedTcp()
    .withEnvironment({ TCP_IN_SERVER_PORT: String(port) })
    .withoutReadiness()
    .start()
  await expectMissing(nodeRed, new RegExp(`^port ${port} \\(tcp in "listen on ${port}" on "TCP in · server"\\)$`), /EADDRINUSE/)
  const metrics = await (await fetch(`${nodeRed.getStatusUrl()}/metrics`)).text()
  expect(metrics).toMatch(new RegExp(`^node_red_tcp_listen_errors_total\\{port="${port}",code="EADDRINUSE"\\} [1-9]`, 'm'))
  other.close()
  await once(other, 'close')
  // It is tried again until the port is free.
  await expect.poll(async () => (await readyz(nodeRed)).status, { timeout: 15_000 }).toBe(200)
})

test('a flow file that is not JSON makes it not ready, and stays as it is', async () => {
  const DATA_DIR = join(mkdtempSync(join(tmpdir(), 'node-red-tcp-')), 'data')
  mkdirSync(DATA_DIR)
  writeFileSync(join(DATA_DIR, 'flows.json'), '[{"half')
  await using nodeRed = await new EmbeddedNodeRedTcp().withEnvironment({ DATA_DIR }).withoutReadiness().start()
  await expectMissing(nodeRed, /flows\.json$/, /cannot be read: .*JSON/)
})
