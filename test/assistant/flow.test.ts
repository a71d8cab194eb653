import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { runInNewContext } from 'node:vm'
import { describe, expect, test } from 'vitest'
import { makeFlow, type FlowContext } from '../../src/assistant/shared/flow.ts'
import type { LogEntry } from '../../src/assistant/shared/protocol.ts'
import type { EndpointSpec } from '../../src/assistant/shared/spec.ts'
import { EmbeddedNodeRedTcp } from '../../src/testing/embedded-node-red-tcp.ts'
import { freePort } from '../../src/testing/free-port.ts'
import { TcpClient } from '../../src/testing/tcp-client.ts'
import { TcpPeer } from '../../src/testing/tcp-peer.ts'

function log(...turns: ['rx' | 'tx', string | Buffer][]): LogEntry[] {
  return turns.map(([dir, data], index) => ({ n: index + 1, t: index, dir, peer: '127.0.0.1:1', data: Buffer.from(data) }))
}

function flowOf(spec: EndpointSpec, entries: LogEntry[]) {
  const context: FlowContext = { name: 'recorded', kind: spec.kind, spec }
  return makeFlow(entries, context)
}

/** The properties that Node-RED's own dialog knows for a node. */
function propertiesOf(type: string): string[] {
  const nodes = dirname(createRequire(import.meta.url).resolve('@node-red/nodes/package.json'))
  const files = {
    'tcp in': '31-tcpin',
    'tcp out': '31-tcpin',
    'udp in': '32-udp',
    'udp out': '32-udp',
    inject: '20-inject',
    debug: '21-debug',
    function: '10-function',
  }
  const folder = type.includes(' ') ? 'network' : type === 'function' ? 'function' : 'common'
  const text = readFileSync(join(nodes, 'core', folder, `${files[type as keyof typeof files]}.html`), 'utf8')
  // As the editor reads them: the dialog's script is run with an editor that only listens.
  const script = text
    .split('<script type="text/javascript">')
    .slice(1)
    .map((part) => part.slice(0, part.indexOf('</script>')))
    .join('\n')
  const known = new Map<string, { defaults: object }>()
  const RED = { nodes: { registerType: (name: string, definition: { defaults: object }) => known.set(name, definition) } }
  const anything: unknown = new Proxy(() => anything, { get: () => anything, apply: () => anything })
  const editor = new Proxy(RED, { get: (target, name) => (name === 'nodes' ? target.nodes : anything) })
  runInNewContext(script, { RED: editor, $: anything, window: {}, document: anything })
  return Object.keys(known.get(type)!.defaults)
}

describe('a conversation as a flow', () => {
  const specs: EndpointSpec[] = [
    { kind: 'tcp-client', host: '127.0.0.1', port: 9503 },
    { kind: 'tcp-server', port: 9601 },
    { kind: 'udp', localPort: 7000, host: '127.0.0.1', port: 7001 },
    { kind: 'tap', port: 9600, host: '127.0.0.1', targetPort: 9503 },
  ]
  test.each(specs)('of $kind has nodes and properties of Node-RED’s own, wired to what is there', (spec) => {
    const nodes = flowOf(spec, log(['rx', 'hello'], ['tx', 'W?'], ['rx', '12'], ['tx', Buffer.of(1, 2, 255)], ['rx', Buffer.of(0)]))
    const ids = new Set(nodes.map(({ id }) => id))
    expect(ids.size).toBe(nodes.length)
    for (const { id: _id, type, x, y, z, wires, ...properties } of nodes.slice(1)) {
      expect(propertiesOf(type)).toEqual(expect.arrayContaining(Object.keys(properties)))
      expect([typeof x, typeof y, z]).toEqual(['number', 'number', nodes[0]!.id])
      for (const target of (wires as string[][]).flat()) expect(ids).toContain(target)
    }
  })

  test('received bytes never become code', () => {
    const nasty = "'}; process.exit(1); //\n`${1}`"
    const [answering] = flowOf({ kind: 'tcp-client', host: 'a', port: 1 }, log(['tx', nasty], ['rx', nasty])).filter(
      ({ type }) => type === 'function',
    )
    expect(answering!.func).not.toContain('process')
  })

  test('answers in Node-RED as it was answered before, and sends by its buttons what came unasked', async () => {
    const port = await freePort()
    const flow = flowOf({ kind: 'tcp-client', host: '127.0.0.1', port }, log(['rx', 'welcome'], ['tx', 'W?'], ['rx', '12.5 kg']))
    await using nodeRed = await new EmbeddedNodeRedTcp().withFlow('recorded', flow).start()
    await using device = await TcpClient.connect(port)
    await device.send('W?')
    await device.expect('12.5 kg')
    await (await nodeRed.admin).inject('welcome', { flow: 'recorded' })
    await device.expect('welcome')
  })

  test('dials the assistant when that was the server', async () => {
    await using peer = await TcpPeer.listen()
    const flow = flowOf({ kind: 'tcp-server', port: peer.port }, log(['tx', Buffer.of(1, 2)], ['rx', Buffer.of(3, 4)]))
    await using _nodeRed = await new EmbeddedNodeRedTcp().withFlow('recorded', flow).start()
    const client = await peer.accept()
    await client.send(Buffer.of(1, 2))
    await client.expect(Buffer.of(3, 4))
  })
})
