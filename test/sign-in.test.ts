import { request as httpRequest } from 'node:http'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { ownPath } from '../src/login/own-path.ts'
import { EmbeddedNodeRedTcp, type StartedEmbeddedNodeRedTcp } from '../src/testing/embedded-node-red-tcp.ts'

const PASSWORD = 'right password'
const LIMIT = 10
const STRANGERS = 40
// Loopback addresses are as good as machines: this one is a proxy, the others are nobody in particular.
const PROXY = '127.0.0.9'

let nodeRed: StartedEmbeddedNodeRedTcp
beforeAll(async () => {
  nodeRed = await new EmbeddedNodeRedTcp()
    .withAdminPassword(PASSWORD)
    .withEnvironment({ TRUSTED_PROXIES: `${PROXY}, 10.1.0.0/16` })
    .start()
})
afterAll(async () => {
  await nodeRed[Symbol.asyncDispose]()
})

type Answer = { status: number; headers: Record<string, string | undefined>; cookies: string[]; text: string }
type Sent = { path?: string; from?: string; fields?: Record<string, string>; headers?: Record<string, string> }

/** Posts a sign-in form from an address of this machine. */
async function post({ path = '/auth/sign-in', from = '127.0.0.1', fields = {}, headers = {} }: Sent): Promise<Answer> {
  const form = new URLSearchParams({ username: 'admin', password: PASSWORD, ...fields }).toString()
  const url = new URL(path, nodeRed.getEditorUrl())
  const options = { method: 'POST', localAddress: from, headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers } }
  return await new Promise((resolve, reject) => {
    const sent = httpRequest(url, options, (response) => {
      void response.toArray().then((chunks) =>
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers as Answer['headers'],
          cookies: response.headers['set-cookie'] ?? [],
          text: Buffer.concat(chunks as Buffer[]).toString(),
        }),
      )
    })
    sent.on('error', reject)
    sent.end(form)
  })
}

async function guess(times: number, sent: Sent): Promise<number[]> {
  const statuses: number[] = []
  for (let count = 0; count < times; count += 1) {
    statuses.push((await post({ ...sent, fields: { password: `wrong ${count}` } })).status)
  }
  return statuses
}

const refused = (times: number) => Array.from({ length: times }, () => 401)
const cookiePair = (cookies: string[], pattern: RegExp) => cookies.find((cookie) => pattern.test(cookie))?.split(';')[0] ?? ''

test('a page of another origin can neither sign in nor use up the tries of others', async () => {
  const from = '127.0.0.20'
  const { host } = new URL(nodeRed.getEditorUrl())
  for (const headers of [
    { origin: 'http://evil.example' },
    { origin: 'http://127.0.0.1:3000' },
    { origin: 'null' },
    { 'sec-fetch-site': 'cross-site' },
    { 'sec-fetch-site': 'same-site' },
    // Nobody here trusts this address to tell the host.
    { origin: 'http://evil.example', 'x-forwarded-host': 'evil.example' },
  ]) {
    for (const path of ['/auth/sign-in', '/auth/token']) {
      const statuses = [(await post({ path, from, headers })).status]
      for (let count = 0; count <= LIMIT; count += 1) statuses.push((await post({ path, from, headers, fields: { password: 'x' } })).status)
      expect.soft(new Set(statuses), `${path} ${JSON.stringify(headers)}`).toEqual(new Set([403]))
    }
  }
  for (const headers of [{}, { origin: `http://${host}` }, { 'sec-fetch-site': 'same-origin' }, { 'sec-fetch-site': 'none' }]) {
    expect.soft((await post({ from, headers })).status, JSON.stringify(headers)).toBe(303)
  }
})

test('who has signed in before gets in while strangers at the same address guess', async () => {
  const from = '127.0.0.30'
  const browser = await post({ from })
  const mark = cookiePair(browser.cookies, /-device=/)
  expect(browser.cookies.find((cookie) => cookie.startsWith(mark))).toMatch(/; Path=\/auth; HttpOnly; SameSite=Lax; Max-Age=31536000$/)
  const client = await post({ from, path: '/auth/token' })
  const { access_token: token } = JSON.parse(client.text) as { access_token: string }
  const clientMark = cookiePair(client.cookies, /-device=/)

  expect(await guess(LIMIT + 1, { from })).toEqual([...refused(LIMIT), 429])
  expect((await post({ from })).status).toBe(429)
  expect((await post({ from, headers: { cookie: `a=b; ${mark}` } })).status).toBe(303)
  expect((await post({ from, path: '/auth/token', headers: { cookie: clientMark } })).status).toBe(200)
  expect((await post({ from, path: '/auth/token', headers: { authorization: `Bearer ${token}` } })).status).toBe(200)
})

test('a mark of an earlier login is no licence to guess, and none can be made up', async () => {
  const from = '127.0.0.31'
  const mark = cookiePair((await post({ from })).cookies, /-device=/)
  expect(await guess(LIMIT + 1, { from, headers: { cookie: mark } })).toEqual([...refused(LIMIT), 429])
  expect((await post({ from, headers: { cookie: mark } })).status).toBe(429)
  expect((await post({ from })).status).toBe(303)

  const [name = '', value = ''] = mark.split('=')
  const [nonce = '', since = '', proof = ''] = value.split('.')
  const forged = [
    `${'A'.repeat(nonce.length)}.${since}.${proof}`,
    `${nonce}.${Number(since) + 1}.${proof}`,
    `${nonce}.${since}.${'A'.repeat(proof.length)}`,
    '',
    '..',
  ]
  await guess(LIMIT, { from })
  for (const made of forged) expect.soft((await post({ from, headers: { cookie: `${name}=${made}` } })).status, made).toBe(429)
})

test('signing in gives a neighbour at the same address no further guesses', async () => {
  const from = '127.0.0.32'
  expect(await guess(LIMIT - 1, { from })).toEqual(refused(LIMIT - 1))
  expect((await post({ from })).status).toBe(303)
  expect(await guess(2, { from })).toEqual([401, 429])
})

test('behind a trusted proxy everybody is counted by their own address', async () => {
  const via = (forwarded: string): Sent => ({ from: PROXY, headers: { 'x-forwarded-for': forwarded } })
  expect(await guess(LIMIT + 1, via('203.0.113.1'))).toEqual([...refused(LIMIT), 429])
  expect((await post(via('203.0.113.2'))).status).toBe(303)
  // What stands left of the nearest stranger was written by that stranger.
  for (const forwarded of [
    '198.51.100.7, 203.0.113.1',
    '203.0.113.1, 10.1.2.3',
    '203.0.113.2,203.0.113.1,10.1.2.3',
    '::ffff:203.0.113.1',
    '203.0.113.1:4711',
  ]) {
    expect.soft((await post(via(forwarded))).status, forwarded).toBe(429)
  }
  expect(nodeRed.log).toContain('login refused for 203.0.113.1: too many attempts')
  expect(nodeRed.log.match(/203\.0\.113\.1: too many/g)).toHaveLength(1)
})

test('X-Forwarded-For of anybody else counts for nothing', async () => {
  const from = '127.0.0.40'
  const statuses: number[] = []
  for (let count = 0; count <= LIMIT; count += 1) {
    const headers = { 'x-forwarded-for': `203.0.113.${100 + count}` }
    statuses.push((await post({ from, headers, fields: { password: 'x' } })).status)
  }
  expect(statuses).toEqual([...refused(LIMIT), 429])
})

test('a trusted proxy tells the host and the scheme that the browser sees', async () => {
  const seen = { origin: 'https://node-red.example.com', 'x-forwarded-for': '203.0.113.60' }
  const answer = await post({
    from: PROXY,
    headers: { ...seen, 'x-forwarded-host': 'node-red.example.com', 'x-forwarded-proto': 'https' },
  })
  expect(answer.status).toBe(303)
  expect(answer.cookies).toHaveLength(2)
  for (const cookie of answer.cookies) expect(cookie).toMatch(/; Secure$/)
  expect((await post({ from: PROXY, headers: { ...seen, host: 'node-red.example.com:443' } })).status).toBe(303)
  expect((await post({ from: PROXY, headers: { ...seen, 'x-forwarded-host': 'other.example.com' } })).status).toBe(403)
  for (const cookie of (await post({ headers: { 'x-forwarded-proto': 'https' } })).cookies) expect(cookie).not.toContain('Secure')
})

test('leads to paths of this server only', async () => {
  const from = '127.0.0.50'
  expect((await post({ from, fields: { next: '/.//evil.example/x' } })).headers.location).toBe('/')
  expect((await post({ from, fields: { next: '/dashboard/page1?a=1&b=//x' } })).headers.location).toBe('/dashboard/page1?a=1&b=//x')
})

test.each([
  ...['//evil.example', '///evil.example', '/.//evil.example/x', '/./..//evil.example', '/x/..//evil.example', '/%2e//evil.example'],
  ...['/%2E%2e//evil.example', '/\\evil.example', '/.\\\\evil.example', '\\\\evil.example', '/\t/evil.example', '\t//evil.example'],
  ...['/\r\n/evil.example', '/.\n//evil.example', ' //evil.example', 'https://evil.example/', 'https:/evil.example', '//user@evil.example'],
  ...['/.//local/x', '//local/x', 'http://local/x', 'javascript:alert(1)', 'evil.example', '?x', ''],
])('%j is no path to go to', (next) => {
  const path = ownPath(next)
  // What is the same server by our reckoning has to be a plain path by the browser's.
  expect(path === undefined || /^\/(?![/\\])/.test(path), path).toBe(true)
  expect(new URL(path ?? '/', 'http://here').origin).toBe('http://here')
})

test.each([
  ['/%2f/evil.example', '/%2f/evil.example'],
  ['/a//b?c=//d', '/a//b?c=//d'],
  ['/a\r\nset-cookie: x=y', '/aset-cookie:%20x=y'],
])('%j is a path of this server', (next, path) => {
  expect(ownPath(next)).toBe(path)
})

test('the page shows admin, and keeps the name that was typed', async () => {
  const first = await (await fetch(`${nodeRed.getEditorUrl()}/auth/sign-in`)).text()
  expect(first).toMatch(/<input name="username"[^>]* value="admin"/)
  const typed = '"><script>alert(1)</script>'
  const again = await post({ from: '127.0.0.60', fields: { username: typed, password: 'x' } })
  expect(again.status).toBe(401)
  expect(again.text).not.toContain('<script')
  expect(again.text).toContain('value="&#34;&#62;&#60;script&#62;alert(1)&#60;/script&#62;"')
  expect(again.text).not.toContain('value="x"')
})

// The last one: whoever signs in for the first time has to wait from here on.
test('the log stays short, however many addresses guess', async () => {
  for (let n = 0; n < STRANGERS; n += 1) await guess(LIMIT + 1, { from: PROXY, headers: { 'x-forwarded-for': `198.18.0.${n}` } })
  expect(nodeRed.log).toContain('198.18.0.0: too many attempts')
  expect(nodeRed.log.match(/198\.18\.0\.\d+: too many attempts/g)?.length).toBeLessThan(STRANGERS / 2)
})
