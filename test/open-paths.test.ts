import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { flowOf, Tab } from './nodes/flow-builder.ts'
import { EmbeddedNodeRedTcp } from '../src/testing/embedded-node-red-tcp.ts'
import { ask, openSocket } from '../src/testing/raw-http.ts'

// What modules do that serve a map, or a broker by WebSocket: routes and an upgrade listener of their own.
const MODULE = `
module.exports = function (RED) {
  RED.nodes.registerType('test-map', function (config) { RED.nodes.createNode(this, config) })
  const page = (request, response) => response.end('map')
  RED.httpNode.get('/map', page)
  RED.httpNode.use('/map/files', page)
  RED.httpNode.post('/map/marker', page)
  RED.httpAdmin.get('/map-settings', page)
  RED.httpNode.get('/other', page)
  RED.server.on('upgrade', (request, socket) => {
    if (!['/broker', '/other-broker'].includes(request.url.split('?')[0])) return
    socket.write('HTTP/1.1 101 Switching Protocols\\r\\nConnection: Upgrade\\r\\nUpgrade: websocket\\r\\n\\r\\n')
    socket.pipe(socket)
  })
}`
const DIALOG = "<script type=\"text/javascript\">RED.nodes.registerType('test-map', { category: 'config', defaults: {} })</script>"

function dataWithModule(): string {
  const data = join(mkdtempSync(join(tmpdir(), 'node-red-tcp-')), 'data')
  mkdirSync(join(data, 'nodes'), { recursive: true })
  writeFileSync(join(data, 'nodes', 'map.js'), MODULE)
  writeFileSync(join(data, 'nodes', 'map.html'), DIALOG)
  return data
}

test('routes of modules are closed, but for those that HTTP_OPEN_PATHS names', async () => {
  const tab = new Tab('hooks')
  const answer = tab.add('http response', { statusCode: '222', headers: {} })
  tab.add('http in', { url: '/map/hook', method: 'post', upload: false }, answer)
  tab.add('http in', { url: '/hook', method: 'post', upload: false }, answer)
  await using nodeRed = await new EmbeddedNodeRedTcp()
    .withFlow('hooks', flowOf(tab))
    .withEnvironment({ DATA_DIR: dataWithModule(), HTTP_OPEN_PATHS: '/Map/, /broker, /map-settings', HTTP_IN_LOGIN: 'true' })
    .start()
  const url = nodeRed.getEditorUrl()
  const statusOf = async (path: string, method = 'GET') => (await ask(url, path, { method })).status

  for (const path of ['/map', '/MAP', '/map/files/a.js', '/map?x=1', '/map-settings']) expect.soft(await statusOf(path), path).toBe(200)
  expect(await statusOf('/map/marker', 'POST')).toBe(200)
  // Endpoints of flows are closed here, but for those that are named.
  expect([await statusOf('/map/hook', 'POST'), await statusOf('/hook', 'POST')]).toEqual([222, 401])
  for (const path of [
    '/other',
    '/mapping',
    '/',
    '/flows',
    '/map/../flows',
    '/map/%2e%2e/red/red.min.js',
    '/map%2f..%2fflows',
    '/map/..%5cother',
  ])
    expect.soft(await statusOf(path), path).toBe(401)

  const [opened, broker] = await openSocket(url, '/broker')
  expect(opened).toBe(101)
  await broker.expect(' Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n')
  await broker.send('ping')
  await broker.expect('ping')
  broker.reset()
  expect((await openSocket(url, '/other-broker'))[0]).toBe(401)
  expect((await openSocket(url, '/comms'))[0]).toBe(401)
})

test.each(['/flows', '/dashboard', '/FLOWS/x', '/map,/assistant', '/auth/sign-in'])('HTTP_OPEN_PATHS=%s is refused', async (paths) => {
  const refused = await new EmbeddedNodeRedTcp()
    .withEnvironment({ HTTP_OPEN_PATHS: paths })
    .start()
    .then(
      () => 'started',
      (error: Error) => error.message,
    )
  expect(refused).toMatch(/HTTP_OPEN_PATHS: \/\S+ belongs to editor, dashboard or assistant, which are never open/)
})
