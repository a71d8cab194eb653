import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createAuthority } from '../src/testing/certificates.ts'
import { EmbeddedNodeRedTcp, type StartedEmbeddedNodeRedTcp } from '../src/testing/embedded-node-red-tcp.ts'
import { createInstallReader, type InstallFailure } from '../src/plugins/editor/install-reader.ts'

const MODULE = 'node-red-contrib-line-counter'
const TOKEN = 'token-of-the-registry'

let registry: Server
let npm: Record<string, string>
let ca: string
beforeAll(async () => {
  const folder = mkdtempSync(join(tmpdir(), 'node-red-tcp-'))
  const authority = createAuthority()
  ca = join(folder, 'ca.pem')
  writeFileSync(ca, authority.ca)
  registry = createServer(authority.issue('localhost'))
  await once(registry.listen(0, '127.0.0.1'), 'listening')
  const address = `https://localhost:${(registry.address() as AddressInfo).port}`
  npm = { npm_config_registry: address, npm_config_fetch_retries: '0' }
  answerAsRegistry(address, pack(folder))
})
afterAll(() => {
  registry.close()
})

/** A registry of one package, for those who have the token: https://github.com/npm/registry/blob/main/docs/responses/package-metadata.md */
function answerAsRegistry(address: string, tarball: Buffer): void {
  const dist = { tarball: `${address}/${MODULE}.tgz`, integrity: `sha512-${createHash('sha512').update(tarball).digest('base64')}` }
  const versions = { '1.0.0': { name: MODULE, version: '1.0.0', dist } }
  registry.on('request', ({ url, headers }, response) => {
    if (headers.authorization !== `Bearer ${TOKEN}`) return response.writeHead(401).end('{}')
    if (url === `/${MODULE}.tgz`) return response.end(tarball)
    if (url !== `/${MODULE}`) return response.writeHead(404).end('{}')
    response.setHeader('content-type', 'application/json')
    return response.end(JSON.stringify({ name: MODULE, 'dist-tags': { latest: '1.0.0' }, versions }))
  })
}

function pack(folder: string): Buffer {
  const content = join(folder, 'package')
  mkdirSync(content)
  const manifest = { name: MODULE, version: '1.0.0', 'node-red': { nodes: { counter: 'counter.js' } } }
  writeFileSync(join(content, 'package.json'), JSON.stringify(manifest))
  writeFileSync(join(content, 'counter.js'), "module.exports = (RED) => RED.nodes.registerType('line counter', function () {})")
  writeFileSync(join(content, 'counter.html'), "<script>RED.nodes.registerType('line counter', { defaults: {} })</script>")
  execFileSync('tar', ['-czf', 'package.tgz', 'package'], { cwd: folder })
  return readFileSync(join(folder, 'package.tgz'))
}

/** A data folder of somebody who has a login for the registry, and a cache of its own. */
function dataFolder({ token = TOKEN } = {}): Record<string, string> {
  const folder = mkdtempSync(join(tmpdir(), 'node-red-tcp-'))
  writeFileSync(join(folder, '.npmrc'), `${npm.npm_config_registry?.replace('https:', '')}/:_authToken=${token}\n`)
  return { DATA_DIR: folder, npm_config_cache: join(folder, '.npm') }
}

async function install(nodeRed: StartedEmbeddedNodeRedTcp, module: string): Promise<{ name: string; version: string }> {
  const init = { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ module }) }
  return (await (await (await nodeRed.admin).request('/nodes', init)).json()) as { name: string; version: string }
}

test('the palette installs from a registry of one’s own, by the certificates that served the build', async () => {
  await using nodeRed = await new EmbeddedNodeRedTcp().withEnvironment({ ...npm, EXTRA_CA_FILE: ca, ...dataFolder() }).start()
  expect(await install(nodeRed, MODULE)).toMatchObject({ name: MODULE, version: '1.0.0' })
  await expect(install(nodeRed, 'no-such-module')).rejects.toThrow('/nodes: 404')
  await expect.poll(() => nodeRed.log).toContain('palette: the registry has no such module or version.')
})

test('why an install has failed stands in the log', async () => {
  // What Compose mounts where nobody has named certificates.
  const environment = { ...npm, EXTRA_CA_FILE: '/dev/null', ...dataFolder() }
  await using nodeRed = await new EmbeddedNodeRedTcp().withEnvironment(environment).start()
  await expect(install(nodeRed, MODULE)).rejects.toThrow('Install failed')
  await expect.poll(() => nodeRed.log).toContain('palette: npm does not trust the certificate of the registry or of a proxy on the way')
  expect(nodeRed.log).toContain('EXTRA_CA_FILE')
})

test('of what npm writes the reason is told, not where in npm it came up', () => {
  const failures: InstallFailure[] = []
  const reader = createInstallReader((failure) => failures.push(failure))
  reader.read('1', { data: '/usr/bin/node npm-cli.js install no-such-module' })
  const written = [
    'npm error code ECONNREFUSED',
    'npm error syscall connect',
    'npm error FetchError: request to http://127.0.0.1:9/no-such-module failed, reason: connect ECONNREFUSED 127.0.0.1:9',
    'npm error     at ClientRequest.anonymous (/npm/node_modules/minipass-fetch/lib/index.js:130:14)',
    'npm error     at /npm/lib/index.js:1:2',
    'npm error  If you are behind a proxy, please make sure that the proxy config is set properly.',
  ]
  reader.read('1', { type: 'err', data: written.join('\n') })
  reader.read('1', { end: true, data: 'rc=1' })
  expect(failures).toEqual([
    {
      problem: expect.objectContaining({ key: 'unreachable' }) as unknown,
      reason:
        'FetchError: request to http://127.0.0.1:9/no-such-module failed, reason: connect ECONNREFUSED 127.0.0.1:9 ' +
        'If you are behind a proxy, please make sure that the proxy config is set properly.',
    },
  ])
})

test('a login that the registry does not take is named', async () => {
  // A file that is there comes first; one of the host, in a container, is not there.
  const environment = { ...npm, EXTRA_CA_FILE: '/nowhere/ca.pem', NODE_EXTRA_CA_CERTS: ca, ...dataFolder({ token: 'old' }) }
  await using nodeRed = await new EmbeddedNodeRedTcp().withEnvironment(environment).start()
  await expect(install(nodeRed, MODULE)).rejects.toThrow('Install failed')
  await expect.poll(() => nodeRed.log).toContain('palette: the registry wants a login')
})

test('the palette shows the catalogues that are named', async () => {
  const PALETTE_CATALOGUES = 'https://npm.example.com/catalogue.json, https://catalogue.nodered.org/catalogue.json'
  await using nodeRed = await new EmbeddedNodeRedTcp().withEnvironment({ PALETTE_CATALOGUES, EXTRA_CA_FILE: '/nowhere/ca.pem' }).start()
  const settings = (await (await (await nodeRed.admin).request('/settings')).json()) as {
    editorTheme: { palette: { catalogues: string[] } }
  }
  expect(settings.editorTheme.palette.catalogues).toEqual(PALETTE_CATALOGUES.split(', '))
  expect(nodeRed.log).toContain('EXTRA_CA_FILE=/nowhere/ca.pem cannot be read (ENOENT): npm does without it')
})
