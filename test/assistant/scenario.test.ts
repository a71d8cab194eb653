import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { ScenarioError } from '../../src/assistant/scenario/model.ts'
import { parseScenario } from '../../src/assistant/scenario/parse.ts'
import { freePort } from '../../src/testing/free-port.ts'
import { EmbeddedNodeRedTcp } from '../../src/testing/embedded-node-red-tcp.ts'
import { assist, Assistant } from './support/command.ts'

const EXAMPLES = join(dirname(dirname(import.meta.dirname)), 'examples')

function write(text: string): string {
  const file = join(mkdtempSync(join(tmpdir(), 'scenario-')), 'test.yaml')
  writeFileSync(file, text)
  return file
}

function mistakes(text: string, variables = {}): string[] {
  try {
    parseScenario(text, { file: 'a.yaml', variables })
    return []
  } catch (error) {
    if (error instanceof ScenarioError) return error.message.split('\n')
    throw error
  }
}

describe('a scenario file that cannot be played names line, key and what is allowed', () => {
  const file = (lines: string) => `peers:\n  a: { client: 127.0.0.1:1 }\n  b: { server: 2 }\nsteps:\n${lines}`
  test.each([
    ['- sned: x', 'a.yaml:5: sned: a step has exactly one of send, expect'],
    ['- { send: x, expect: y }', 'a.yaml:5: send, expect: a step has exactly one of'],
    ['- { send: x, to: a, too: a }', 'a.yaml:5: too: not known here; there are: send, name, to'],
    ['- { send: x }', 'a.yaml:5: to: which of them? There are: a, b'],
    ['- { send: x, to: c }', 'a.yaml:5: to: no peer "c"; there are: a, b'],
    ['- { wait: 1ms }\n- { send: { hex: 0G }, to: a }', 'a.yaml:6: hex: "G" at 2 is no HEX'],
    ['- { send: { text: x, ending: crfl }, to: a }', 'a.yaml:5: ending: allowed are none, lf, cr, crlf'],
    ['- { send: { text: x, checksum: md5 }, to: a }', 'a.yaml:5: checksum: allowed are crc16-modbus'],
    ['- { send: { text: x, encoding: klingon }, to: a }', 'a.yaml:5: encoding: "klingon" is not known'],
    ['- { expect: { regex: "(" }, from: a }', 'a.yaml:5: regex: Invalid regular expression'],
    ['- { expect: { hex: 1 }, from: a }', 'a.yaml:5: hex: "1" is not HEX'],
    ['- { wait: 5 parsecs }', 'a.yaml:5: wait: allowed is a time up to 60m, such as 500ms'],
    ['- repeat: 0\n  steps: [{ wait: 1ms }]', 'a.yaml:5: repeat: allowed is a whole number from 1 to 100000'],
  ])('%j', (steps, message) => {
    expect(mistakes(file(steps))).toEqual([expect.stringContaining(message)])
  })

  test.each([
    ['', 'a.yaml:1: a mapping is needed'],
    ['a: [1', 'a.yaml:1: not YAML'],
    ['peers: { a: { client: nowhere } }\nsteps: [{ wait: 1ms }]', 'a.yaml:1: client: "nowhere" is no address'],
    ['peers: { a: { client: "${HOST}:1" } }\nsteps: [{ wait: 1ms }]', 'a.yaml:1: client: the variable HOST has no value'],
    ['peers: {}\nsteps: [{ wait: 1ms }]', 'a.yaml:1: peers: at least one is needed'],
  ])('%j', (text, message) => {
    expect(mistakes(text)[0]).toContain(message)
  })

  test('all of them at once, with exit code 2', async () => {
    const path = write('peerz: 1\npeers: { a: { client: 127.0.0.1:1 } }\nsteps: [{ wait: x }]\n')
    const { code, stderr } = await assist(['run', path])
    expect(code).toBe(2)
    expect(stderr).toMatch(/test\.yaml:1: peerz: .*\n.*test\.yaml:3: wait: /)
  })
})

describe('a scenario', () => {
  const pair = (port: number, steps: string) =>
    `name: pair <1>\ntimeout: 5s\npeers:\n  server: { server: ${port} }\n  client: { client: 127.0.0.1:${port}, later: true }\nsteps:\n  - open: client\n${steps}`

  test('plays both sides, passes, and leaves a JUnit file', async () => {
    const port = await freePort()
    const junit = join(mkdtempSync(join(tmpdir(), 'junit-')), 'junit.xml')
    const steps = [
      '  - repeat: 3',
      '    steps:',
      '      - { send: { text: "n={{counter}};", macros: true }, to: client }',
      '      - { expect: { regex: "^n=\\\\d+;" }, from: server }',
      '      - { send: { hex: FF 00, checksum: sum8 }, to: server }',
      '      - { expect: { hex: FF ?? FF }, from: client }',
      '  - { silence: 100ms, from: client }',
      '  - close: server',
      '  - closed: client',
    ].join('\n')
    const { code, stdout, stderr } = await assist(['run', write(pair(port, steps)), '--junit', junit])
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout.toString()).toMatch(/passed in/)
    const xml = readFileSync(junit, 'utf8')
    expect(xml).toContain('<testsuite name="pair &lt;1&gt;" tests="16" failures="0"')
  })

  test('stops at the first step that fails, says what came instead, and ends with 1', async () => {
    const port = await freePort()
    const junit = join(mkdtempSync(join(tmpdir(), 'junit-')), 'junit.xml')
    const steps = '  - { send: "W=12\\n", to: client }\n  - { expect: W=13, from: server, timeout: 200ms }\n  - { wait: 1s }'
    const path = write(pair(port, steps))
    const { code, stdout } = await assist(['run', path, '--junit', junit])
    expect(code).toBe(1)
    expect(stdout.toString()).toContain(`${path}:9: "W=13" did not come from server within 200 ms; received: W=12\\n (57 3D 31 32 0A)`)
    expect(stdout.toString()).not.toContain('wait')
    expect(readFileSync(junit, 'utf8')).toContain('<failure type="NOT_RECEIVED"')
  })

  test.each([
    ['  - { send: x, to: client }\n  - { silence: 2s, from: server }', 'server was to get nothing, but got x'],
    ['  - { close: server }\n  - { expect: x, from: client }', 'client was disconnected before "x" came'],
    ['  - { closed: client, timeout: 100ms }', 'client is still connected after 100 ms'],
  ])('%j fails', async (steps, message) => {
    const { code, stdout } = await assist(['run', write(pair(await freePort(), steps))])
    expect([code, stdout.toString()]).toEqual([1, expect.stringContaining(message)])
  })

  test('nobody there is a failure that says so', async () => {
    const port = await freePort()
    const refused = write(`peers: { a: { client: 127.0.0.1:${port} } }\nsteps: [{ send: x }]\n`)
    expect((await assist(['run', refused])).stdout.toString()).toContain(`nobody listens on 127.0.0.1:${port}`)
    const waiting = write(`peers: { a: { server: ${port} } }\nsteps: [{ connected: a, timeout: 100ms }]\n`)
    expect((await assist(['run', waiting])).stdout.toString()).toContain('a was not connected within 100 ms')
  })
})

describe('the example for', () => {
  test('each provisioned scenario is there', () => {
    expect(readdirSync(EXAMPLES).toSorted()).toEqual(
      readdirSync(join(dirname(EXAMPLES), 'flows'))
        .filter((name) => /^tcp-.*\.json$/.test(name))
        .map((name) => name.replace('.json', '.yaml')),
    )
  })

  test.each([
    ['tcp-in-server', undefined],
    ['tcp-in-client', undefined],
    ['tcp-out-server', 'TCP out · server'],
    ['tcp-out-client', 'TCP out · client'],
    ['tcp-response', undefined],
  ])('%s passes against the running distribution', async (name, flow) => {
    const names = ['TCP_IN_SERVER_PORT', 'TCP_OUT_SERVER_PORT', 'TCP_RESPONSE_PORT', 'TCP_IN_CLIENT_PORT', 'TCP_OUT_CLIENT_PORT']
    const ports = Object.fromEntries(await Promise.all(names.map(async (variable) => [variable, String(await freePort())] as const)))
    await using nodeRed = await new EmbeddedNodeRedTcp()
      .withEnvironment({ ...ports, ASSISTANT_HOST: '127.0.0.1' })
      .withCommand(['-D', 'socketReconnectTime=300'])
      .start()
    await using assistant = new Assistant(['run', join(EXAMPLES, `${name}.yaml`)], ports)
    if (flow !== undefined) {
      // Both of its nodes, or the one that the button belongs to has nobody to send to yet.
      await expect.poll(() => countSessions(nodeRed, ports), { timeout: 20_000 }).toBe(2)
      const admin = await nodeRed.admin
      await admin.inject('send text', { flow })
    }
    const { code, stdout, stderr } = await assistant.ended
    expect({ code, stderr, stdout: stdout.toString() }).toMatchObject({ code: 0, stderr: '', stdout: expect.stringContaining('passed in') })
  })
})

/** Connections of the two scenarios that send, as Node-RED sees them. */
async function countSessions(nodeRed: { getStatusUrl: () => string }, ports: Record<string, string>): Promise<number> {
  type Session = { direction: string; localPort: number; remotePort: number }
  const sessions = (await (await fetch(`${nodeRed.getStatusUrl()}/sessions`)).json()) as Session[]
  return sessions.filter(({ direction, localPort, remotePort }) =>
    direction === 'in' ? String(localPort) === ports.TCP_OUT_SERVER_PORT : String(remotePort) === ports.TCP_OUT_CLIENT_PORT,
  ).length
}
