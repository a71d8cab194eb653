import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { needsMending, type PortRow } from '../../src/ports/shared/diagnosis.ts'
import type { ListenerFact } from '../../src/ports/shared/facts.ts'
import type { PortsView } from '../../src/ports/shared/view.ts'
import { flowOf, Tab } from '../nodes/flow-builder.ts'
import type { AdminClient, FlowNode } from '../../src/testing/admin-client.ts'
import { EmbeddedNodeRedTcp, type StartedEmbeddedNodeRedTcp } from '../../src/testing/embedded-node-red-tcp.ts'
import { freePort } from '../../src/testing/free-port.ts'

// What modules of the palette do: listen a little after their start, listen when a message comes, look for a free port in the ways of the
// libraries for that (one server tried on the next port, or a new server for each, none of those that failed closed).
const MODULE = `
const net = require('node:net')
module.exports = (RED) => {
  function listen(node, port) {
    node.server = net.createServer().on('error', (error) => node.error(error.message)).listen(port)
    node.on('close', (done) => node.server.close(() => done()))
  }
  RED.nodes.registerType('palette-listener', function (config) {
    RED.nodes.createNode(this, config)
    setTimeout(() => listen(this, Number(config.port)), 20)
  })
  RED.nodes.registerType('palette-late', function (config) {
    RED.nodes.createNode(this, config)
    this.on('input', () => listen(this, Number(config.port)))
  })
  RED.nodes.registerType('palette-prober', function (config) {
    RED.nodes.createNode(this, config)
    const same = net.createServer()
    const next = (port) => {
      const failed = () => next(port + 1)
      same.once('error', failed)
      same.once('listening', () => { same.removeListener('error', failed); same.close(() => other(port)) })
      same.listen(port)
    }
    const other = (free) => {
      net.createServer().on('error', () => {
        const probe = net.createServer().listen(0, () => probe.close(() => listen(this, free)))
      }).listen(Number(config.port))
    }
    next(Number(config.port))
  })
}`

describe('ports that nodes of other modules open', () => {
  let nodeRed: StartedEmbeddedNodeRedTcp
  let admin: AdminClient
  let before: FlowNode[]
  let taken: number

  beforeAll(async () => {
    const DATA_DIR = join(mkdtempSync(join(tmpdir(), 'node-red-tcp-')), 'data')
    const folder = join(DATA_DIR, 'node_modules', 'node-red-contrib-palette-listener')
    mkdirSync(folder, { recursive: true })
    const nodes = { listener: 'nodes.js' }
    writeFileSync(
      join(folder, 'package.json'),
      JSON.stringify({ name: 'node-red-contrib-palette-listener', version: '1.0.0', 'node-red': { nodes } }),
    )
    writeFileSync(join(folder, 'nodes.js'), MODULE)
    writeFileSync(join(folder, 'nodes.html'), '')
    nodeRed = await new EmbeddedNodeRedTcp().withEnvironment({ DATA_DIR, ASSISTANT_HOST: '127.0.0.1' }).start()
    admin = await nodeRed.admin
    before = await admin.flows()
    taken = (await listeners()).find(({ declaredBy }) => declaredBy.some(({ flow }) => flow === 'TCP response'))!.port
  })
  afterEach(async () => {
    await admin.deploy(before)
    await expect.poll(readyz).toMatchObject({ ready: true })
  })
  afterAll(async () => {
    await nodeRed[Symbol.asyncDispose]()
  })

  const listeners = async () => (await (await fetch(`${nodeRed.getStatusUrl()}/listeners`)).json()) as ListenerFact[]
  const readyz = async () =>
    (await (await fetch(`${nodeRed.getStatusUrl()}/readyz`)).json()) as { ready: boolean; missing: { what: string; why: string }[] }
  const rows = async () => ((await (await admin.request('/ports')).json()) as PortsView).rows
  const ownersOf = async (port: number) => (await listeners()).find((fact) => fact.port === port && fact.state === 'listening')?.declaredBy

  async function deploy(...tabs: Tab[]): Promise<void> {
    await admin.deploy([...before, ...flowOf(...tabs)])
  }

  test('have their node beside them, whether it opens them at its start or for a message', async () => {
    const [first, second] = [await freePort(), await freePort()]
    const tab = new Tab('palette')
    tab.add('palette-listener', { name: 'at once', port: first })
    tab.add('inject', { name: 'go', props: [{ p: 'payload' }] }, tab.add('palette-late', { name: 'later', port: second }))
    await deploy(tab)
    await expect.poll(() => ownersOf(first)).toMatchObject([{ type: 'palette-listener', name: 'at once', flow: 'palette' }])
    await admin.inject('go')
    await expect.poll(() => ownersOf(second)).toMatchObject([{ type: 'palette-late', name: 'later', flow: 'palette' }])
  })

  test('a module that looks for a free port is no fault, and nobody is blamed', async () => {
    const tab = new Tab('palette')
    tab.add('palette-prober', { name: 'prober', port: taken })
    await deploy(tab)
    const found = async () => (await listeners()).filter(({ declaredBy }) => declaredBy.some(({ name }) => name === 'prober'))
    await expect.poll(found).toMatchObject([{ state: 'listening' }])
    expect(await readyz()).toMatchObject({ ready: true, missing: [] })
    expect((await rows()).filter(({ state }) => state === 'failed')).toEqual([])
  })

  test('a module on a taken port is named, and so is the node that has it', async () => {
    const tab = new Tab('palette')
    tab.add('palette-listener', { name: 'second', port: taken })
    await deploy(tab)
    await expect.poll(readyz).toMatchObject({
      ready: false,
      missing: [
        {
          what: `port ${taken} (palette-listener "second" on "palette")`,
          why: expect.stringMatching(/EADDRINUSE.*, by tcp in ".*" on "TCP response"$/),
        },
      ],
    })
    const failed = (await rows()).filter(({ state }) => state === 'failed')
    expect(failed).toMatchObject([
      {
        port: taken,
        declaredBy: [{ name: 'second' }],
        problems: [{ code: 'LISTEN_FAILED', params: { holder: expect.stringContaining('TCP response') } }],
      },
    ])
  })

  test('a tcp in on the status port says whose it is: in its error, in the log, to the doctor', async () => {
    await using debug = await admin.debug()
    const port = new URL(nodeRed.getStatusUrl()).port
    const tab = new Tab('example')
    tab.tcpIn({ name: 'example', port })
    tab.watch()
    await deploy(tab)
    const text = `cannot listen on port ${port}: it is in use (EADDRINUSE), by the status port of this distribution; it is tried again until the port is free`
    expect((await debug.next(({ name }) => name === 'caught')).msg).toBe(text)
    expect(nodeRed.log).toContain(text)
    await expect.poll(readyz).toMatchObject({ missing: [{ why: expect.stringContaining('by the status port of this distribution') }] })
    const row = (await rows()).find((candidate) => candidate.state === 'failed')
    expect(row).toMatchObject({ problems: [{ params: { holder: 'status' }, fix: 'give the node "example" on "example" another port' }] })
  })

  test('a certificate that cannot be used is the cause that readiness tells', async () => {
    const tab = new Tab('secure')
    const tls = {
      id: 'tls-of-no-use',
      type: 'tls-config',
      name: '',
      cert: '/nowhere/cert.pem',
      key: '/nowhere/key.pem',
      ca: '',
      verifyservercert: false,
    }
    tab.tcpIn({ name: 'secure', port: String(await freePort()), tls: tls.id })
    await admin.deploy([...before, ...flowOf(tab), tls])
    await expect.poll(readyz).toMatchObject({
      missing: [{ what: expect.stringContaining('"secure" on "secure"'), why: expect.not.stringContaining('not listening yet') }],
    })
  })

  test('nothing is to mend where nothing was touched: that nobody listens in the assistant is good to know', async () => {
    const waiting = async () => (await rows()).filter(({ kind, state }) => kind === 'client' && state === 'waiting')
    await expect.poll(async () => [...new Set((await waiting()).map(({ port }) => port))]).toEqual([9601, 9602])
    const problems = (found: PortRow[]) => found.flatMap((row) => row.problems)
    expect(problems(await waiting()).map(({ code }) => code)).toEqual((await waiting()).map(() => 'NO_ANSWER'))
    expect(needsMending(await rows())).toBe(false)
  })
})
