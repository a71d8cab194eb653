import { afterAll, beforeAll, expect, test } from 'vitest'
import type { AdminClient, DeploymentType, FlowNode } from '../../src/testing/admin-client.ts'
import type { StartedNodeRedTcpContainer } from '../../src/testing/node-red-tcp-container.ts'
import { describeContainer, newContainer } from '../support/runtimes.ts'
import type { TcpClient } from '../../src/testing/tcp-client.ts'
import { TcpPeer } from '../../src/testing/tcp-peer.ts'
import { open } from './defects/defect.ts'
import { flowOf, Tab } from './flow-builder.ts'

const CLIENTS = 200
const DEPLOYS = 20
const HOST = 'host.docker.internal'

/** Sends numbered lines, each once the one before has come back, and notes whatever is not the next number. */
class NumberedTalk {
  sent = 0
  readonly wrong: string[] = []
  private readonly client: TcpClient
  private readonly name: number
  private over = false

  constructor(client: TcpClient, name: number) {
    this.client = client
    this.name = name
  }

  async talk(): Promise<void> {
    while (!this.over) {
      const line = `client ${this.name} line ${this.sent}\n`
      await this.client.send(line)
      await this.client.expect(line, { within: 20_000 }).catch((error: Error) => this.fail(error.message))
      this.sent += 1
    }
  }

  stop(): void {
    this.over = true
  }

  private fail(message: string): void {
    this.wrong.push(message)
    this.over = true
  }
}

describeContainer('deploys', () => {
  let nodeRed: StartedNodeRedTcpContainer
  let admin: AdminClient

  beforeAll(async () => {
    nodeRed = await newContainer().withExposedPorts(9504, 9505).start()
    admin = await nodeRed.admin
  })
  afterAll(async () => {
    await nodeRed[Symbol.asyncDispose]()
  })

  /** Lines in, through a node of every kind of wire, and back: what a deploy restarts in the middle. */
  function echoOfLines(): { nodes: FlowNode[]; input: FlowNode; middle: FlowNode; output: FlowNode } {
    const tab = new Tab('echo')
    const output = tab.tcpOut({})
    const middle = tab.add('change', { rules: [{ t: 'set', p: 'seen', pt: 'msg', to: 'true', tot: 'bool' }] }, output)
    const input = tab.tcpIn({ port: '9504', datatype: 'utf8', newline: '\\n', trim: true }, middle)
    return { nodes: flowOf(tab), input, middle, output }
  }

  test(
    'two hundred clients exchange lines while flows are deployed again and again: none is dropped, nothing is missing or doubled',
    { timeout: 180_000 },
    async () => {
      const flow = echoOfLines()
      await admin.deploy(flow.nodes)
      await (await open(nodeRed, 9504)).expectSilence(10)
      const clients = await Promise.all(Array.from({ length: CLIENTS }, () => nodeRed.tcp(9504)))
      const talks = clients.map((client, index) => new NumberedTalk(client, index))
      const talking = Promise.all(talks.map((talk) => talk.talk()))
      const kinds: DeploymentType[] = ['full', 'flows', 'nodes']
      const changed = [flow.input, flow.middle, flow.output]
      for (let deploy = 0; deploy < DEPLOYS; deploy += 1) {
        changed[deploy % changed.length]!.name = `changed ${deploy}`
        await admin.deploy(flow.nodes, kinds[deploy % kinds.length])
      }
      for (const talk of talks) talk.stop()
      await talking
      expect(talks.flatMap(({ wrong }) => wrong)).toEqual([])
      expect(clients.filter(({ isClosed }) => isClosed)).toEqual([])
      for (const talk of talks) expect(talk.sent).toBeGreaterThan(1)
      for (const client of clients) {
        await client.expectSilence(1)
        client.reset()
      }
    },
  )

  test('a session keeps its id and the part of a line that had come before the deploy', async () => {
    const tab = new Tab('parts')
    const input = tab.tcpIn({ port: '9504', datatype: 'utf8', newline: '\\n' }, tab.debug('seen'))
    await admin.deploy(flowOf(tab))
    await using debug = await admin.debug()
    await using client = await open(nodeRed, 9504)
    const next = async () =>
      JSON.parse((await debug.next(({ name }) => name === 'seen')).msg) as { payload: string; _session: { id: string } }
    await client.send('one\nfirst half, ')
    const before = await next()
    input.topic = 'changed'
    await admin.deploy(flowOf(tab), 'nodes')
    await client.send('second half\n')
    const after = await next()
    expect(after.payload).toBe('first half, second half')
    expect(after._session.id).toBe(before._session.id)
  })

  test('another delimiter counts from the next byte on, and what was held is not lost', async () => {
    const tab = new Tab('cut')
    const input = tab.tcpIn({ port: '9504', datatype: 'utf8', newline: '\\n' }, tab.debug('seen', 'payload'))
    await admin.deploy(flowOf(tab))
    await using debug = await admin.debug()
    await using client = await open(nodeRed, 9504)
    await client.send('a;b')
    input.newline = ';'
    await admin.deploy(flowOf(tab), 'nodes')
    await client.send('c;')
    expect((await debug.next()).msg).toBe('a')
    expect((await debug.next()).msg).toBe('bc')
  })

  test('client connections of tcp in and tcp out are taken over too', async () => {
    await using source = await TcpPeer.listen()
    await using sink = await TcpPeer.listen()
    const tab = new Tab('clients')
    const output = tab.tcpOut({ beserver: 'client', host: HOST, port: String(sink.port) })
    const input = tab.tcpIn({ server: 'client', host: HOST, port: String(source.port) }, output)
    await admin.deploy(flowOf(tab))
    const [from, to] = [await source.accept(), await sink.accept()]
    await from.send('before')
    await to.expect('before')
    for (const kind of ['full', 'nodes', 'flows'] as const) {
      input.name = output.name = `for ${kind}`
      await admin.deploy(flowOf(tab), kind)
      await from.send(kind)
      await to.expect(kind)
    }
    expect([from.isClosed, to.isClosed]).toEqual([false, false])
  })

  test('what is not taken over is closed, and a deleted node’s clients are told', async () => {
    const tab = new Tab('gone')
    tab.tcpIn({ port: '9504' })
    await admin.deploy(flowOf(tab))
    await using client = await open(nodeRed, 9504)
    await admin.deploy([])
    await client.expectClose()
    await expect.poll(async () => await (await fetch(`${nodeRed.getStatusUrl()}/listeners`)).text()).not.toContain('9504')
  })
})
