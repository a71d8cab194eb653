import type { AdminClient } from '../../../src/testing/admin-client.ts'
import type { DebugStream } from '../../../src/testing/debug-stream.ts'
import { freePort } from '../../../src/testing/free-port.ts'
import type { RunningNodeRedTcp } from '../../support/runtimes.ts'
import { TcpClient } from '../../../src/testing/tcp-client.ts'
import { TcpPeer } from '../../../src/testing/tcp-peer.ts'
import { comesTrue } from '../defects/defect.ts'
import { flowOf, Tab } from '../flow-builder.ts'
import type { Payload, Scenario, Talk } from './scenario.ts'

const HOST = '127.0.0.1'
const END = 'end of the round'
// How long an end of the connection is waited for. Where it comes it comes at once; a request "after a time" has the longest, a second.
const SETTLED_MS = 1_600

/** What is seen of a scenario: the messages of each connection, and what each connection received and how it stands. */
export type Observation = { messages: Record<string, unknown>[][]; connections: Connection[] }
type Connection = { received: string; closed: boolean }

type Stage = { nodeRed: RunningNodeRedTcp; admin: AdminClient; settled: TcpClient[] }
/** A scenario whose nodes are on the tab. `run` is called once they are deployed, `end` once the round is over. */
type Part = { run: () => Promise<Connection[]>; end: () => Promise<void> }

/** Plays scenarios side by side on one running Node-RED; tells what was seen of each, in order. */
export async function play(scenarios: readonly Scenario[], nodeRed: RunningNodeRedTcp): Promise<Observation[]> {
  const admin = await nodeRed.admin
  await using debug = await admin.debug()
  const settled: TcpClient[] = []
  const tabs = scenarios.map((_, index) => new Tab(`round-${index}`))
  const parts = await Promise.all(scenarios.map((scenario, index) => prepare(scenario, { tab: tabs[index]!, nodeRed, admin, settled })))
  const last = new Tab('last')
  last.text(END, END, last.debug(END))
  await admin.deploy(flowOf(...tabs, last))
  if (!(await comesTrue(async () => (await fetch(`${nodeRed.getStatusUrl()}/readyz`)).ok, 10_000))) throw new Error('not ready')
  const connections = await Promise.all(parts.map(({ run }) => run()))
  await admin.inject(END)
  const messages = await shownUntilEnd(debug)
  for (const { socket } of settled) socket.destroy()
  await admin.deploy([])
  await Promise.all(parts.map(({ end }) => end()))
  return connections.map((seen, index) => ({ messages: byConnection(messages.get(tabs[index]!.id) ?? []), connections: seen }))
}

async function prepare(scenario: Scenario, stage: Stage & { tab: Tab }): Promise<Part> {
  const { tab } = stage
  switch (scenario.family) {
    case 'tcp in, server':
    case 'reply': {
      const port = await freePort()
      const next = scenario.family === 'reply' ? tab.tcpOut(scenario.reply) : tab.debug(tab.id)
      tab.tcpIn({ port: String(port), ...scenario.node }, next)
      const run = () => Promise.all(scenario.talks.map(async (talk) => await speak(stage, await TcpClient.connect(port), talk)))
      return { run, end: async () => {} }
    }
    case 'tcp in, client': {
      const peer = await TcpPeer.listen()
      tab.tcpIn({ server: 'client', host: HOST, port: String(peer.port), ...scenario.node }, tab.debug(tab.id))
      const run = async () => [await speak(stage, await peer.accept(), scenario.talks[0], peer.port)]
      return { run, end: () => peer.close() }
    }
    case 'tcp out, server': {
      const port = await freePort()
      const press = buttons(stage, scenario.payloads, tab.tcpOut({ beserver: 'server', port: String(port), ...scenario.node }))
      const run = async () => {
        const clients = await Promise.all(Array.from({ length: scenario.clients }, () => TcpClient.connect(port)))
        for (const client of clients) await known(stage, client)
        await press(() => Promise.resolve())
        return await Promise.all(clients.map((client) => settle(stage, client)))
      }
      return { run, end: async () => {} }
    }
    case 'tcp out, client': {
      const peer = await TcpPeer.listen()
      const node = tab.tcpOut({ beserver: 'client', host: HOST, port: String(peer.port), ...scenario.node })
      const press = buttons(stage, scenario.payloads, node)
      const run = async () => {
        const connection = await peer.accept()
        await known(stage, connection, peer.port)
        await press(() => Promise.resolve())
        return [await settle(stage, connection)]
      }
      return { run, end: () => peer.close() }
    }
    case 'tcp request': {
      const peer = await TcpPeer.listen()
      const node = tab.tcpRequest({ server: HOST, port: String(peer.port), ...scenario.node }, tab.debug(tab.id))
      const press = buttons(stage, scenario.payloads, node)
      const run = async () => await answerEach(stage, { peer, press, scenario })
      return { run, end: () => peer.close() }
    }
  }
}

/** Sends and ends as the talk says; tells what has come back. */
async function speak(stage: Stage, connection: TcpClient, { chunks, end }: Talk, port?: number): Promise<Connection> {
  await sendInTurn(stage, connection, chunks, port)
  if (end === 'fin') connection.end()
  if (end === 'reset') {
    connection.reset()
    await comesTrue(async () => (await sessionOf(stage, connection, port)) === undefined)
    return { received: '', closed: true }
  }
  return await settle(stage, connection)
}

/** Each chunk once the one before has arrived, so that the kernel joins none of them. Stops where Node-RED has closed. */
async function sendInTurn(stage: Stage, connection: TcpClient, chunks: Buffer[], port?: number): Promise<void> {
  await known(stage, connection, port)
  let sent = (await sessionOf(stage, connection, port))?.bytesIn ?? 0
  for (const chunk of chunks) {
    if (connection.isClosed) return
    await connection.send(chunk).catch(() => {})
    sent += chunk.length
    await comesTrue(async () => connection.isClosed || (await sessionOf(stage, connection, port))?.bytesIn === sent)
  }
}

async function known(stage: Stage, connection: TcpClient, port?: number): Promise<void> {
  await comesTrue(async () => connection.isClosed || (await sessionOf(stage, connection, port)) !== undefined)
}

async function settle({ settled }: Stage, connection: TcpClient): Promise<Connection> {
  const closed = await connection.expectClose({ within: SETTLED_MS }).then(
    () => true,
    () => false,
  )
  const received = (await connection.read(connection.available)).toString('hex')
  // What is left is another message once the connection ends.
  settled.push(connection)
  return { received, closed }
}

async function answerEach(
  stage: Stage,
  { peer, press, scenario }: { peer: TcpPeer; press: Press; scenario: Scenario & { family: 'tcp request' } },
): Promise<Connection[]> {
  const connections: TcpClient[] = []
  const answered = new Map<TcpClient, number>()
  await press(async () => {
    // Over a connection of its own, or over the last one; or not at all.
    const asked = await comesTrue(async () => {
      const next = await peer.accept({ within: 0 }).catch(() => undefined)
      if (next) connections.push(next)
      const last = connections.at(-1)
      return last !== undefined && last.available > (answered.get(last) ?? 0)
    }, SETTLED_MS)
    if (!asked) return
    const connection = connections.at(-1)!
    answered.set(connection, connection.available)
    // All within the time that counts, also on a busy machine.
    if (scenario.node.splitc === '1000') for (const chunk of scenario.answer.chunks) await connection.send(chunk).catch(() => {})
    else await sendInTurn(stage, connection, scenario.answer.chunks, peer.port)
    if (scenario.answer.end === 'fin') connection.end()
    if (scenario.answer.end === 'reset') connection.reset()
    if (scenario.node.out !== 'sit') await connection.expectClose({ within: SETTLED_MS }).catch(() => {})
  })
  return await Promise.all(connections.map((connection) => settle(stage, connection)))
}

type Press = (then: () => Promise<void>) => Promise<void>

/** A button for each payload; they are pressed one after the other. */
function buttons({ admin, tab }: Stage & { tab: Tab }, payloads: Payload[], node: { id: string; type: string }): Press {
  const nodes = payloads.map((payload) => tab.inject('', [{ p: 'payload', ...payload }], node))
  return async (then) => {
    for (const { id } of nodes) {
      await admin.request(`/inject/${id}`, { method: 'POST' })
      await then()
    }
  }
}

type Session = { localPort: number; remotePort: number; bytesIn: number }

/** The server's end of a connection. `port`: where this end is the one that listens. */
async function sessionOf({ nodeRed }: Stage, connection: TcpClient, port?: number): Promise<Session | undefined> {
  const sessions = (await (await fetch(`${nodeRed.getStatusUrl()}/sessions`)).json()) as Session[]
  const far = connection.socket.remotePort
  return sessions.find(({ localPort, remotePort }) =>
    port === undefined ? remotePort === connection.localPort : remotePort === port && localPort === far,
  )
}

type Shown = Record<string, unknown> & { _session?: { id?: unknown } }

/** What the debug nodes have shown, by tab. */
async function shownUntilEnd(debug: DebugStream): Promise<Map<string, Shown[]>> {
  const shown = new Map<string, Shown[]>()
  for (;;) {
    // Errors come this way, too: they are worded differently.
    const { name = '', msg } = await debug.next(({ level }) => level === undefined)
    if (name === END) return shown
    shown.set(name, [...(shown.get(name) ?? []), JSON.parse(msg) as Shown])
  }
}

/** The messages of each connection in their order, without what is another in every run. Which connection was first is chance. */
function byConnection(messages: Shown[]): Record<string, unknown>[][] {
  const groups = Map.groupBy(messages, ({ _session }) => _session?.id)
  return [...groups.values()]
    .map((group) =>
      group.map(({ _msgid, _session, ip, port, ...rest }) => ({ ...rest, addressed: ip !== undefined && port !== undefined })),
    )
    .sort((one, other) => (JSON.stringify(one) < JSON.stringify(other) ? -1 : 1))
}
