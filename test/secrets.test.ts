import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { EmbeddedNodeRedTcp, type StartedEmbeddedNodeRedTcp } from '../src/testing/embedded-node-red-tcp.ts'

const PASSWORD = 'pass-7c1d word'
const CREDENTIAL_SECRET = 'key-51ab of credentials'
const NAMES = ['NODE_RED_ADMIN_PASSWORD', 'NODE_RED_CREDENTIAL_SECRET', 'NODE_RED_CREDENTIAL_SECRET_FILE']

const READ_BY_FUNCTION = `
msg.payload = { seen: ${JSON.stringify(NAMES)}.map((name) => env.get(name) ?? ''), gc: typeof gc, kept: env.get('LINE_PASSWORD'),
  globals: Object.keys(globalThis), context: global.keys() }
return msg`

const z = '5ec0000000000001'
const FLOW = [
  { id: z, type: 'tab', label: 'curious' },
  ...endpoint('1', '/function', { type: 'function', func: READ_BY_FUNCTION, outputs: 1, libs: [] }),
  ...endpoint('2', '/exec', { type: 'exec', command: 'env', addpay: '', append: '', useSpawn: 'false', timer: '' }),
  ...endpoint('3', '/change', {
    type: 'change',
    rules: NAMES.map((name, index) => ({ t: 'set', p: `payload.${index}`, pt: 'msg', to: name, tot: 'env' })),
  }),
  ...endpoint('4', '/template', { type: 'template', field: 'payload', format: 'text', syntax: 'mustache', template: template() }),
  ...endpoint('5', '/module', { type: 'curious' }),
]

// Code of a module from the palette: it sees more than a flow does, and still not these.
const MODULE = `module.exports = function (RED) {
  RED.nodes.registerType('curious', function (config) {
    RED.nodes.createNode(this, config)
    const { inspect } = require('node:util')
    this.on('input', (msg, send) => send(Object.assign(msg, { payload: inspect([process.env, RED.settings.distribution], { depth: 12 }) })))
  })
}`

let nodeRed: StartedEmbeddedNodeRedTcp
beforeAll(async () => {
  const folder = mkdtempSync(join(tmpdir(), 'node-red-tcp-'))
  const [DATA_DIR, file] = [join(folder, 'data'), join(folder, 'secret')]
  mkdirSync(join(DATA_DIR, 'nodes'), { recursive: true })
  writeFileSync(join(DATA_DIR, 'nodes', 'curious.js'), MODULE)
  writeFileSync(join(DATA_DIR, 'nodes', 'curious.html'), "<script>RED.nodes.registerType('curious', { defaults: {} })</script>")
  writeFileSync(file, CREDENTIAL_SECRET)
  nodeRed = await new EmbeddedNodeRedTcp()
    .withAdminPassword(PASSWORD)
    .withEnvironment({ DATA_DIR, NODE_RED_CREDENTIAL_SECRET_FILE: file, LINE_PASSWORD: 'for my flow' })
    .withFlow('curious', FLOW)
    .start()
})
afterAll(async () => {
  await nodeRed[Symbol.asyncDispose]()
})

async function read(path: string): Promise<string> {
  const response = await fetch(`${nodeRed.getEditorUrl()}${path}`)
  expect(response.status).toBe(200)
  return await response.text()
}

test('function nodes find neither secrets nor the garbage collector, and what is meant for them', async () => {
  const seen = JSON.parse(await read('/function')) as Record<string, unknown>
  expect(seen).toMatchObject({ seen: ['', '', ''], gc: 'undefined', kept: 'for my flow', context: [] })
  expect(seen.globals).not.toContain('gc')
})

test.each(['/exec', '/change', '/template', '/module'])('a flow cannot read a secret: %s', async (path) => {
  const text = await read(path)
  expect(text).not.toContain(PASSWORD)
  expect(text).not.toContain(CREDENTIAL_SECRET)
  if (path === '/exec' || path === '/module') expect(text).toContain('for my flow')
})

test.each(['/settings', '/settings/user', '/diagnostics', '/context/global', '/flows'])(
  'no secret is in what the editor reads: %s',
  async (path) => {
    const response = await (await nodeRed.admin).request(path)
    expect(response.status).toBe(200)
    const text = await response.text()
    expect(text).not.toContain(PASSWORD)
    expect(text).not.toContain(CREDENTIAL_SECRET)
    expect(text).not.toContain('scrypt$')
  },
)

function template(): string {
  return NAMES.map((name) => `{{env.${name}}}`).join('')
}

/** http in → a node → http response. */
function endpoint(number: string, url: string, node: object): object[] {
  const [first, second, third] = ['a', 'b', 'c'].map((part) => `5ec00000000000${part}${number}`)
  return [
    { id: first, z, type: 'http in', name: '', url, method: 'get', wires: [[second]] },
    { id: second, z, name: '', wires: [[third]], ...node },
    { id: third, z, type: 'http response', name: '', statusCode: '200', headers: {}, wires: [] },
  ]
}
