import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { flowOf, Tab } from './nodes/flow-builder.ts'
import { EmbeddedNodeRedTcp, type StartedEmbeddedNodeRedTcp } from '../src/testing/embedded-node-red-tcp.ts'
import type { FlowNode } from '../src/testing/admin-client.ts'
import { ask, openSocket } from '../src/testing/raw-http.ts'

const BY_FLOW = 222
const DASHBOARD = { id: 'own-dashboard', type: 'ui-base', name: 'Dashboard', path: '/Line7', appIcon: '', includeClientData: true }
const SOCKETS = ['/ws', '/comms', '/assistant/socket', '/line7/socket.io/']

const GET_PATHS = [
  ...['/', '/flows', '/flow/global', '/nodes', '/settings', '/settings/user', '/plugins', '/diagnostics', '/context/global', '/theme'],
  ...['/icons', '/locales/editor', '/library/local/flows/', '/credentials/tls-config/x', '/debug/view/view.html', '/favicon.ico'],
  ...['/red/red.min.js', '/vendor/vendor.js', '/resources/node-red-tcp-plugins/ports.js', '/types/node/globals.d.ts', '/auth/strategy'],
  ...['/ports', '/provisioning', '/assistant', '/assistant/', '/assistant/assets/x.js', '/dashboard/', '/line7', '/line7/_setup'],
  ...['/line7/_debug/datastore/x', '/line7/socket.io/?EIO=4&transport=polling', '/dashboard/manifest.webmanifest'],
  // However it is written.
  ...[
    '//flows',
    '/FLOWS',
    '/flows/',
    '/./flows',
    '/x/../flows',
    '/x/%2e%2e/flows',
    '/%66lows',
    '/flows%2f',
    '/red%2fred.min.js',
    '/%5cflows',
  ],
  ...['/%72ed/red.min.js', '/LINE7/_setup', '/line7//x', '/x/..%2fline7/', '/line7/../device/7', '/\\flows'],
]
const OTHER_REQUESTS = [
  ...['POST /flows', 'POST /flow', 'POST /nodes', 'PUT /nodes/x', 'POST /inject/x', 'POST /debug/x/enable', 'DELETE /tcp/sessions/1'],
  ...['POST /auth/revoke', 'POST /library/local/flows/x', 'DELETE /context/global', 'POST /settings/user', 'POST /dashboard/api/v1/x'],
  ...['HEAD /flows', 'OPTIONS /flows', 'POST /line7/socket.io/?EIO=4&transport=polling'],
]

/** Endpoints for whatever comes, and some of their own. */
function endpoints(): FlowNode[] {
  const tab = new Tab('endpoints')
  const answer = tab.add('http response', { statusCode: String(BY_FLOW), headers: {} })
  for (const url of ['/device/:id', '/:a', '/:a/:b', '/*'])
    for (const method of ['get', 'post', 'put', 'delete']) tab.add('http in', { url, method, upload: false }, answer)
  const listeners = SOCKETS.map((path, index) => {
    const listener: FlowNode = { id: `listener-${index}`, type: 'websocket-listener', path, wholemsg: 'false' }
    const out = tab.add('websocket out', { server: listener.id, client: '' })
    tab.add('websocket in', { server: listener.id, client: '' }, out)
    return listener
  })
  return [DASHBOARD, ...listeners, ...flowOf(tab)]
}

describe('endpoints of flows that cover every path', () => {
  let nodeRed: StartedEmbeddedNodeRedTcp
  let url: string
  let cookie: string

  beforeAll(async () => {
    nodeRed = await new EmbeddedNodeRedTcp().start()
    url = nodeRed.getEditorUrl()
    await (await nodeRed.admin).deploy(endpoints())
    cookie = await newSession()
  })
  afterAll(async () => {
    await nodeRed[Symbol.asyncDispose]()
  })

  async function newSession(): Promise<string> {
    const body = JSON.stringify({ username: 'admin', password: 'test password' })
    const { headers } = await ask(url, '/auth/token', { method: 'POST', body, headers: { 'content-type': 'application/json' } })
    return headers['set-cookie']![0]!.split(';')[0]!
  }

  test('open what is theirs', async () => {
    for (const path of ['/device/7', '/hook', '/a/b/c', '/device/%C3%A4', '/x%2fy', '/auth/callback', '/settings-of-mine'])
      expect.soft((await ask(url, path)).status, path).toBe(BY_FLOW)
    expect((await ask(url, '/hook', { method: 'POST' })).status).toBe(BY_FLOW)
    expect((await ask(url, '/', { method: 'POST' })).status).toBe(BY_FLOW)
    expect((await ask(url, '/hook', { method: 'HEAD' })).status).toBe(BY_FLOW)
    expect((await ask(url, '/hook', { method: 'OPTIONS' })).headers.allow).toContain('POST')
    expect((await openSocket(url, '/ws'))[0]).toBe(101)
  })

  test('open nothing of editor, dashboard, assistant and sign-in', async () => {
    for (const path of GET_PATHS) expect.soft((await ask(url, path)).status, path).toBe(401)
    for (const line of OTHER_REQUESTS) {
      const [method = '', path = ''] = line.split(' ')
      expect.soft((await ask(url, path, { method, body: '{}', headers: { 'content-type': 'application/json' } })).status, line).toBe(401)
    }
    for (const path of SOCKETS.slice(1)) expect.soft((await openSocket(url, path))[0], path).toBe(401)
  })

  test('leave editor and dashboard to those who are logged in', async () => {
    for (const path of ['/flows', '/red/red.min.js', '/dashboard/_setup', '/assistant/'])
      expect.soft((await ask(url, path, { headers: { cookie } })).status, path).toBe(200)
    const authorization = `Bearer ${cookie.split('=')[1]}`
    expect((await ask(url, '/flows', { headers: { authorization } })).status).toBe(200)
    expect((await ask(url, '/hook', { headers: { cookie } })).status).toBe(BY_FLOW)
  })

  test('do not let pages elsewhere use a login', async () => {
    const [own, elsewhere] = [url, 'http://127.0.0.1:9999']
    const post = async (path: string, headers: Record<string, string>) =>
      (await ask(url, path, { method: 'POST', body: '[]', headers: { cookie, 'content-type': 'text/plain', ...headers } })).status
    for (const path of ['/flows', '/nodes', '/hook']) {
      for (const headers of [
        { origin: elsewhere },
        { origin: 'null' },
        { 'sec-fetch-site': 'same-site' },
        { 'sec-fetch-site': 'cross-site' },
      ])
        expect.soft(await post(path, headers), `${path} ${JSON.stringify(headers)}`).toBe(403)
    }
    expect(await post('/hook', { origin: own })).toBe(BY_FLOW)
    expect(await post('/hook', { 'sec-fetch-site': 'none' })).toBe(BY_FLOW)
    // Browsers send cookies with every handshake, so a page elsewhere still has what is open to all, and no more.
    const [status] = await openSocket(url, '/ws', { cookie, origin: elsewhere })
    expect(status).toBe(101)
    expect((await openSocket(url, '/comms', { cookie, origin: elsewhere }))[0]).toBe(403)
  })

  test('answer 400 for what cannot be read as a path', async () => {
    const uptime = await upSince()
    for (const path of ['/device/%ff', '/device/%', '/%E0%A4%A', '/device/7#x', 'http://[::1/device/7', 'http://a:b/'])
      expect.soft((await ask(url, path)).status, path).toBe(400)
    for (const path of ['/device/%ff', 'http://a:b/']) {
      expect.soft((await ask(url, path, { headers: { cookie } })).status, path).toBe(400)
      expect.soft((await openSocket(url, path))[0], path).toBe(400)
    }
    expect(await upSince()).toBe(uptime)
  })

  test('a session counts, whatever other cookies of its name come along', async () => {
    const [name] = cookie.split('=')
    const tossed = Array.from({ length: 15 }, (_, index) => `${name}=tossed-${index}`)
    expect((await ask(url, '/flows', { headers: { cookie: [...tossed, cookie].join('; ') } })).status).toBe(200)
    expect((await ask(url, '/flows', { headers: { cookie: [cookie, ...tossed].join('; ') } })).status).toBe(200)
    expect((await ask(url, '/flows', { headers: { cookie: [...tossed, ...tossed, cookie].join('; ') } })).status).toBe(401)
  })

  test('editor, dashboard and assistant are framed by pages of this server only', async () => {
    for (const path of ['/', '/line7', '/assistant/', '/flows']) {
      const { headers } = await ask(url, path, { headers: { cookie } })
      expect.soft(headers['content-security-policy'], path).toContain("frame-ancestors 'self'")
      expect.soft(headers['x-content-type-options'], path).toBe('nosniff')
    }
    expect((await ask(url, '/hook', { headers: { cookie } })).headers['content-security-policy']).toBeUndefined()
  })

  async function upSince(): Promise<number> {
    const metrics = await (await fetch(`${nodeRed.getStatusUrl()}/metrics`)).text()
    return Number(/^process_start_time_seconds (.+)$/m.exec(metrics)![1])
  }
})
