import { existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { openSessions } from '../src/login/sessions.ts'
import { flowOf, Tab } from './nodes/flow-builder.ts'
import { EmbeddedNodeRedTcp } from '../src/testing/embedded-node-red-tcp.ts'
import { ask, connectTo, handshake } from '../src/testing/raw-http.ts'
import type { TcpClient } from '../src/testing/tcp-client.ts'

const LEFT_MS = 1_000
const POLLING = '/dashboard/socket.io/?EIO=4&transport=polling'
const SOCKETS = ['/comms', '/assistant/socket', '/dashboard/socket.io/?EIO=4&transport=websocket']

async function signIn(url: string): Promise<string> {
  const body = JSON.stringify({ username: 'admin', password: 'test password' })
  const { headers } = await ask(url, '/auth/token', { method: 'POST', body, headers: { 'content-type': 'application/json' } })
  return headers['set-cookie']![0]!.split(';')[0]!
}

/** Every socket that a login opens, and a dashboard's request that waits for news. */
async function openAll(url: string, cookie: string): Promise<TcpClient[]> {
  const clients = await Promise.all([...SOCKETS, '/ws'].map(async (path) => await openOne(url, path, cookie)))
  const { body } = await ask(url, POLLING, { headers: { cookie } })
  const { sid } = JSON.parse(body.slice(1)) as { sid: string }
  const session = `${POLLING}&sid=${sid}`
  expect((await ask(url, session, { method: 'POST', headers: { cookie, 'content-type': 'text/plain' }, body: '40' })).body).toBe('ok')
  // The first answer is that the connection is made; the next one comes when there is something to tell.
  expect((await ask(url, session, { headers: { cookie } })).body).toContain('40')
  const waiting = await connectTo(url)
  const wait = () => waiting.send(`GET ${session} HTTP/1.1\r\nHost: test\r\nCookie: ${cookie}\r\n\r\n`)
  // The dashboard may have something to tell; then it is asked again.
  waiting.socket.on('data', (data: Buffer) => data.toString().startsWith('HTTP/1.1 200') && void wait().catch(() => {}))
  await wait()
  return [...clients, waiting]
}

async function openOne(url: string, path: string, cookie: string): Promise<TcpClient> {
  const client = await connectTo(url)
  await client.send(handshake(path, { Cookie: cookie }))
  await client.expect('HTTP/1.1 101')
  return client
}

async function expectEnded(clients: TcpClient[]): Promise<void> {
  await Promise.all(clients.map((client) => client.expectClose()))
}

test('logging out ends what the login has opened, and nothing else', async () => {
  const tab = new Tab('socket')
  const listener = { id: 'listener', type: 'websocket-listener', path: '/ws', wholemsg: 'false' }
  tab.add('websocket in', { server: listener.id, client: '' })
  await using nodeRed = await new EmbeddedNodeRedTcp().withFlow('socket', [listener, ...flowOf(tab)]).start()
  const url = nodeRed.getEditorUrl()
  const [mine, other] = [await signIn(url), await signIn(url)]
  const [opened, others] = [await openAll(url, mine), await openAll(url, other)]
  expect((await ask(url, '/auth/revoke', { method: 'POST', headers: { cookie: mine } })).status).toBe(200)
  await expectEnded(opened)
  expect(others.map(({ isClosed }) => isClosed)).toEqual(others.map(() => false))
  for (const client of others) client.reset()
})

test('what is held ends when the session expires, unless it has ended before', async () => {
  const file = join(mkdtempSync(join(tmpdir(), 'node-red-tcp-')), 'sessions.json')
  const token = openSessions(file, 'key', (problem) => expect.fail(String(problem))).begin()
  await expect.poll(() => existsSync(file)).toBe(true)
  const [[id]] = JSON.parse(readFileSync(file, 'utf8')) as [[string, number]]
  writeFileSync(file, JSON.stringify([[id, Date.now() + LEFT_MS]]))
  const sessions = openSessions(file, 'key', (problem) => expect.fail(String(problem)))
  const ended: string[] = []
  sessions.hold(token, () => ended.push('held'))
  const release = sessions.hold(token, () => ended.push('released'))
  release()
  expect([sessions.isValid(token), ended]).toEqual([true, []])
  await expect.poll(() => ended).toEqual(['held'])
  expect(sessions.isValid(token)).toBe(false)
})
