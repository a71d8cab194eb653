import { once } from 'node:events'
import { existsSync, mkdtempSync, writeFileSync } from 'node:fs'
import { get } from 'node:https'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createAuthority } from '../src/testing/certificates.ts'
import { EmbeddedNodeRedTcp } from '../src/testing/embedded-node-red-tcp.ts'
import { describeRuntimes, type RunningNodeRedTcp } from './support/runtimes.ts'

const DASHBOARD = [
  { id: 'da50000000000001', type: 'ui-base', name: 'Dashboard', path: '/dashboard', appIcon: '', includeClientData: true },
  { id: 'da50000000000002', type: 'tab', label: 'with a dashboard' },
]
const HTTP_IN = [
  { id: 'ab10000000000001', type: 'tab', label: 'endpoint' },
  {
    id: 'ab10000000000002',
    type: 'http in',
    z: 'ab10000000000001',
    name: '',
    url: '/public/:name',
    method: 'get',
    wires: [['ab10000000000003']],
  },
  { id: 'ab10000000000003', type: 'http response', z: 'ab10000000000001', name: '', statusCode: '204', headers: {}, wires: [] },
]
const ROUTES = [
  ...[
    '/',
    '/red/red.min.js',
    '/vendor/vendor.js',
    '/red/images/node-red.svg',
    '/favicon.ico',
    '/theme',
    '/icons',
    '/icons/node-red/debug.svg',
  ],
  ...['/settings', '/settings/user', '/flows', '/flow/global', '/flows/state', '/nodes', '/nodes/messages', '/plugins', '/locales/editor'],
  ...[
    '/locales/node-red',
    '/context/global',
    '/library/local/flows',
    '/diagnostics',
    '/debug/view/debug-utils.js',
    '/types/node/globals.d.ts',
  ],
  ...['/dashboard', '/dashboard/', '/dashboard/page1', '/dashboard/_setup', '/dashboard/manifest.webmanifest', '/dashboard/assets/x.js'],
  ...['/dashboard/socket.io/?EIO=4&transport=polling', '/dashboard/socket.io/socket.io.js', '/provisioning', '/comms', '/auth/strategy'],
  ...[
    '/no/such/page',
    '//flows',
    '/%66lows',
    '/./flows',
    '/auth/../flows',
    '/auth/sign-in/../../flows',
    '/FLOWS',
    '/public',
    '/public/a/b',
  ],
]

/** Logs in as a browser does, by the form; returns the cookie. */
async function signIn(url: string, password: string, next = '/'): Promise<{ response: Response; cookie: string }> {
  const response = await fetch(`${url}/auth/sign-in`, {
    method: 'POST',
    body: new URLSearchParams({ username: 'admin', password, next }),
    redirect: 'manual',
  })
  return { response, cookie: response.headers.get('set-cookie')?.split(';')[0] ?? '' }
}

async function statusOf(url: string, init: RequestInit = {}): Promise<number> {
  return (await fetch(url, { redirect: 'manual', ...init })).status
}

/** Sends a path as it is; fetch would resolve its dots first. */
async function rawStatus(url: string, path: string): Promise<number> {
  const { hostname, port } = new URL(url)
  const socket = connect(Number(port), hostname)
  socket.write(`GET ${path} HTTP/1.0\r\n\r\n`)
  const answer = (await socket.toArray()) as Buffer[]
  return Number(Buffer.concat(answer).toString().split(' ')[1])
}

async function socketOpens(url: string, headers: Record<string, string>): Promise<boolean> {
  const Socket = WebSocket as unknown as new (url: string, options: { headers: Record<string, string> }) => WebSocket
  const socket = new Socket(url.replace('http', 'ws'), { headers })
  const opened = await Promise.race([once(socket, 'open').then(() => true), once(socket, 'error').then(() => false)])
  socket.close()
  return opened
}

describeRuntimes('login', (create) => {
  const start = async (environment: Record<string, string> = {}): Promise<RunningNodeRedTcp> =>
    await create()
      .withAdminPassword('right password')
      .withFlow('dashboard-test', DASHBOARD)
      .withFlow('endpoint', HTTP_IN)
      .withEnvironment(environment)
      .start()

  let nodeRed: RunningNodeRedTcp
  let url: string

  beforeAll(async () => {
    nodeRed = await start()
    url = nodeRed.getEditorUrl()
  })
  afterAll(async () => await nodeRed[Symbol.asyncDispose]())

  test('is needed on every route that answers', async () => {
    for (const route of ROUTES) {
      expect.soft(await statusOf(`${url}${route}`), `GET ${route}`).toBe(401)
      expect.soft(await statusOf(`${url}${route}`, { method: 'POST' }), `POST ${route}`).toBe(401)
      const page = await fetch(`${url}${route}`, { headers: { accept: 'text/html' }, redirect: 'manual' })
      expect.soft([page.status, page.headers.get('location')?.startsWith('/auth/sign-in?next=')], `page ${route}`).toEqual([302, true])
      for (const authorization of ['Bearer nonsense', 'Basic YWRtaW46cmlnaHQgcGFzc3dvcmQ=']) {
        expect.soft(await statusOf(`${url}${route}`, { headers: { authorization } }), `${authorization} ${route}`).toBe(401)
      }
    }
    expect(await statusOf(`${url}/flows?access_token=nonsense`)).toBe(401)
    for (const path of ['/flows/../auth/login', '//x/auth/login', '/\\x/auth/login', '/icons/a/../../auth/login', 'http://x/auth/login']) {
      expect.soft(await rawStatus(url, path), path).toBe(401)
    }
    for (const socket of ['/comms', '/dashboard/socket.io/?EIO=4&transport=websocket', '/other']) {
      expect.soft(await socketOpens(`${url}${socket}`, {}), socket).toBe(false)
    }
  })

  test('serves editor, admin API, dashboard and sockets alike', async () => {
    const { response, cookie } = await signIn(url, 'right password', '/dashboard?x=1')
    expect([response.status, response.headers.get('location')]).toEqual([303, '/dashboard?x=1'])
    expect(response.headers.getSetCookie()[0]).toMatch(/; Path=\/; HttpOnly; SameSite=Lax; Max-Age=604800$/)
    for (const route of ['/', '/flows', '/settings', '/dashboard/', '/dashboard/manifest.webmanifest', '/diagnostics', '/provisioning']) {
      expect.soft(await statusOf(`${url}${route}`, { headers: { cookie } }), route).toBe(200)
    }
    expect(await socketOpens(`${url}/comms`, { cookie })).toBe(true)
    expect(await socketOpens(`${url}/dashboard/socket.io/?EIO=4&transport=websocket`, { cookie })).toBe(true)
    expect(await statusOf(`${url}/dashboard/socket.io/?EIO=4&transport=polling`, { headers: { cookie } })).toBe(200)

    const { token } = await nodeRed.admin
    expect(await statusOf(`${url}/dashboard/`, { headers: { authorization: `Bearer ${token}` } })).toBe(200)
  })

  test('ends with logging out', async () => {
    const { cookie } = await signIn(url, 'right password')
    const revoked = await fetch(`${url}/auth/revoke`, { method: 'POST', headers: { cookie } })
    expect(await revoked.json()).toEqual({ redirect: '/auth/sign-in' })
    expect(await statusOf(`${url}/flows`, { headers: { cookie } })).toBe(401)
  })

  test('refuses what pages of other origins send with the cookie', async () => {
    const { cookie } = await signIn(url, 'right password')
    const origin = 'http://127.0.0.1:3000'
    expect(await statusOf(`${url}/flows`, { method: 'POST', headers: { cookie, origin } })).toBe(403)
    expect(await statusOf(`${url}/flows`, { method: 'POST', headers: { cookie, origin: 'null' } })).toBe(403)
    expect(await socketOpens(`${url}/comms`, { cookie, origin })).toBe(false)
  })

  test('leads to paths of this server only', async () => {
    for (const next of ['//evil.example', 'https://evil.example/', '/\\evil.example', 'javascript:alert(1)', '\t//evil.example']) {
      const { response } = await signIn(url, 'right password', next)
      expect.soft(response.headers.get('location'), next).toBe('/')
    }
    const page = await fetch(`${url}/auth/sign-in?next=${encodeURIComponent('"><script>alert(1)</script>')}`)
    expect(await page.text()).not.toContain('<script>')
  })

  test('leaves endpoints of flows open, or closes them when asked to', async () => {
    expect(await statusOf(`${url}/public/data`)).toBe(204)
    expect(await statusOf(`${url}/public/data`, { method: 'POST' })).toBe(401)
    await using closed = await start({ HTTP_IN_LOGIN: 'true' })
    expect(await statusOf(`${closed.getEditorUrl()}/public/data`)).toBe(401)
    const { cookie } = await signIn(closed.getEditorUrl(), 'right password')
    expect(await statusOf(`${closed.getEditorUrl()}/public/data`, { headers: { cookie } })).toBe(204)
  })

  test('lives under another admin root', async () => {
    await using moved = await start({ HTTP_ADMIN_ROOT: '/admin' })
    const root = moved.getEditorUrl().replace(/\/admin$/, '')
    expect(await statusOf(`${root}/admin/flows`)).toBe(401)
    expect(await statusOf(`${root}/dashboard/manifest.webmanifest`)).toBe(401)
    expect(await statusOf(`${root}/public/data`)).toBe(204)
    const { cookie } = await signIn(`${root}/admin`, 'right password')
    expect(await statusOf(`${root}/admin/flows`, { headers: { cookie } })).toBe(200)
    expect(await statusOf(`${root}/dashboard/`, { headers: { cookie } })).toBe(200)
  })

  test('speaks Chinese to browsers that ask for it', async () => {
    const page = await fetch(`${url}/auth/sign-in`, { headers: { 'accept-language': 'zh-CN,zh;q=0.9,en;q=0.8' } })
    expect(await page.text()).toContain('用户名')
  })
})

test('wrong passwords are slowed down and never logged', async () => {
  await using nodeRed = await new EmbeddedNodeRedTcp().withAdminPassword('right password').start()
  const url = nodeRed.getEditorUrl()
  const statuses: number[] = []
  for (let attempt = 0; attempt < 12; attempt += 1) statuses.push((await signIn(url, `wrong guess ${attempt}`)).response.status)
  expect(statuses).toEqual([...Array.from({ length: 10 }, () => 401), 429, 429])
  const { response } = await signIn(url, 'right password')
  expect([response.status, Number(response.headers.get('retry-after')) > 0]).toEqual([429, true])
  const token = await fetch(`${url}/auth/token`, {
    method: 'POST',
    body: new URLSearchParams({ username: 'admin', password: 'right password' }),
  })
  expect(token.status).toBe(429)
  expect(nodeRed.log).toContain('login refused for')
  expect(nodeRed.log).not.toContain('wrong guess')
})

test('sessions outlive a restart, and end with the password', async () => {
  const DATA_DIR = join(mkdtempSync(join(tmpdir(), 'node-red-tcp-')), 'data')
  const create = () => new EmbeddedNodeRedTcp().withEnvironment({ DATA_DIR })
  await using first = await create().withAdminPassword('first password').start()
  const { cookie } = await signIn(first.getEditorUrl(), 'first password')
  await expect.poll(() => existsSync(join(DATA_DIR, '.secrets', 'sessions.json'))).toBe(true)
  await first.stop()
  await using second = await create().withAdminPassword('first password').start()
  expect(await statusOf(`${second.getEditorUrl()}/flows`, { headers: { cookie } })).toBe(200)
  await second.stop()
  await using third = await create().withAdminPassword('second password').start()
  expect(await statusOf(`${third.getEditorUrl()}/flows`, { headers: { cookie } })).toBe(401)
})

test('the editor is served over HTTPS when certificate files are given', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'node-red-tcp-'))
  const [TLS_KEY_FILE, TLS_CERT_FILE] = [join(folder, 'key.pem'), join(folder, 'cert.pem')]
  const { cert, key } = createAuthority().issue('localhost')
  writeFileSync(TLS_CERT_FILE, cert)
  writeFileSync(TLS_KEY_FILE, key)
  await using nodeRed = await new EmbeddedNodeRedTcp().withEnvironment({ TLS_CERT_FILE, TLS_KEY_FILE }).start()
  expect(nodeRed.getEditorUrl()).toMatch(/^https:/)
  const [response] = (await once(get(`${nodeRed.getEditorUrl()}/flows`, { rejectUnauthorized: false }), 'response')) as [
    { statusCode: number; destroy: () => void },
  ]
  expect(response.statusCode).toBe(401)
  response.destroy()
})
