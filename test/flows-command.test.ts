import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { createServer, type Server } from 'node:https'
import { createServer as createTcpServer, type AddressInfo } from 'node:net'
import { cpSync, mkdtempSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { createAuthority } from '../src/testing/certificates.ts'
import { COMPILE_CACHE } from '../src/testing/compile-cache.ts'
import { describeRuntimes, type RunningNodeRedTcp } from './support/runtimes.ts'

const home = dirname(import.meta.dirname)

const LISTENER = '5c01000000000002'

type Ended = { code: number; stdout: string; stderr: string }

/** A checkout of its own, so that `export` writes there. */
function createCheckout() {
  const folder = mkdtempSync(join(tmpdir(), 'node-red-tcp-'))
  for (const name of ['flows', 'scripts', 'src', 'package.json']) cpSync(join(home, name), join(folder, name), { recursive: true })
  symlinkSync(join(home, 'node_modules'), join(folder, 'node_modules'))
  const run = (
    nodeRed: Pick<RunningNodeRedTcp, 'getEditorUrl'>,
    args: string[],
    password = 'flows password',
    more: NodeJS.ProcessEnv = {},
  ) =>
    new Promise<Ended>((resolve) => {
      const env = { PATH: process.env.PATH, NODE_COMPILE_CACHE: COMPILE_CACHE, NODE_RED_ADMIN_PASSWORD: password, ...more }
      execFile(
        process.execPath,
        [join(folder, 'scripts', 'flows.ts'), ...args, '--url', nodeRed.getEditorUrl()],
        { env },
        (error, stdout, stderr) => resolve({ code: Number(error?.code ?? 0), stdout, stderr }),
      )
    })
  return { folder, run }
}

describeRuntimes('npm run flows', (create) => {
  test('shows, compares, resets and exports what was edited', async () => {
    await using nodeRed = await create().withAdminPassword('flows password').start()
    const { folder, run } = createCheckout()
    const admin = await nodeRed.admin
    const before = await run(nodeRed, ['status'])
    expect(before).toMatchObject({ code: 0, stdout: expect.stringMatching(/^tcp-in-server +as in the file$/m) })

    const flows = await admin.flows()
    const withoutClient = flows.filter(({ id, z }) => !id.startsWith('5c02') && z !== '5c02000000000000')
    await admin.deploy(withoutClient.map((node) => (node.id === LISTENER ? { ...node, name: 'scanner' } : node)))
    const { stdout } = await run(nodeRed, ['status'])
    expect(stdout).toMatch(/^tcp-in-server +edited in the editor$/m)
    expect(stdout).toMatch(/^tcp-in-client +deleted in the editor$/m)

    const diff = (await run(nodeRed, ['diff', 'tcp-in-server'])).stdout.split('\n').filter((line) => /^[+-] /.test(line))
    expect(diff.map((line) => line.replace(/\s+/g, ' ').replace(/\d+/, 'PORT'))).toEqual([
      '- "name": "listen on PORT",',
      '+ "name": "scanner",',
    ])

    expect((await run(nodeRed, ['export', 'tcp-in-server'])).code).toBe(0)
    const exported = readFileSync(join(folder, 'flows', 'tcp-in-server.json'), 'utf8')
    expect(exported).toBe(
      readFileSync(join(home, 'flows', 'tcp-in-server.json'), 'utf8').replace('listen on ${TCP_IN_SERVER_PORT}', 'scanner'),
    )

    expect((await run(nodeRed, ['reset', 'tcp-in-server'])).code).toBe(0)
    expect((await run(nodeRed, ['reset', 'tcp-in-client'])).code).toBe(0)
    const names = (await admin.flows()).map(({ name }) => name)
    expect(names).toContainEqual(expect.stringMatching(/^listen on \d+$/))
    expect(names).toContainEqual(expect.stringMatching(/^connect to \d+$/))
    await using client = await nodeRed.tcp(9503)
    await client.send('still runs')
    await client.expect('still runs')
  })

  test('says what is wrong and how to go on', async () => {
    await using nodeRed = await create().withAdminPassword('flows password').start()
    const { run } = createCheckout()
    expect(await run(nodeRed, ['diff', 'nothing'])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('there are: tcp-in-server, tcp-in-client'),
    })
    expect(await run(nodeRed, ['reset'])).toMatchObject({ code: 1, stderr: expect.stringContaining('needs the name of a flow') })
    expect(await run(nodeRed, ['merge', 'x'])).toMatchObject({ code: 1, stderr: expect.stringContaining('unknown command "merge"') })
    expect(await run(nodeRed, ['status'], 'wrong')).toMatchObject({ code: 1, stderr: expect.stringContaining('user or password is wrong') })
    expect(await run(nodeRed, ['status'], '')).toMatchObject({ code: 1, stderr: expect.stringContaining('NODE_RED_ADMIN_PASSWORD') })
    // Who has been let in before is not kept out by what others try at the same address.
    expect((await run(nodeRed, ['status'])).code).toBe(0)
    const guess = async () => {
      const body = JSON.stringify({ client_id: 'node-red-admin', grant_type: 'password', scope: '*', username: 'admin', password: 'x' })
      const headers = { 'content-type': 'application/json' }
      return (await fetch(`${nodeRed.getEditorUrl()}/auth/token`, { method: 'POST', body, headers })).status
    }
    await expect.poll(guess, { interval: 1 }).toBe(429)
    expect(await run(nodeRed, ['status'])).toMatchObject({ code: 0, stderr: '' })
    const nobody = { getEditorUrl: () => 'http://127.0.0.1:9' }
    expect(await run(nobody, ['status'])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('nothing answers at http://127.0.0.1:9'),
    })
  })
})

describe('npm run flows with an editor that it cannot ask', () => {
  const authority = createAuthority()
  const { folder, run } = createCheckout()

  /** Answers every request by 401 and shows the certificate. */
  async function serve(certificate: { cert: string; key: string }): Promise<Server> {
    const server = createServer(certificate, (_request, response) => response.writeHead(401).end('login required'))
    await once(server.listen(0, '127.0.0.1'), 'listening')
    return server
  }
  const at = (server: { address: () => unknown }, scheme: string) => {
    const { port } = server.address() as AddressInfo
    return { getEditorUrl: () => `${scheme}://localhost:${port}`, host: `localhost:${port}` }
  }

  test('says that its certificate is not trusted, and what helps', async () => {
    await using server = await serve(authority.issue('localhost'))
    const { getEditorUrl, host } = at(server, 'https')
    const { code, stderr } = await run({ getEditorUrl }, ['status'])
    expect(code).toBe(1)
    expect(stderr).toContain(`the certificate of ${host} is not accepted: unable to verify the first certificate`)
    expect(stderr).toContain('NODE_EXTRA_CA_CERTS=ca.pem')
    expect(stderr).not.toContain('nothing answers')
    const ca = join(folder, 'ca.pem')
    writeFileSync(ca, authority.ca)
    const trusted = await run({ getEditorUrl }, ['status'], 'x', { NODE_EXTRA_CA_CERTS: ca })
    expect(trusted.stderr).toContain('401 login required')

    await using other = await serve(authority.issue('other.example'))
    const misnamed = await run(at(other, 'https'), ['status'], 'x', { NODE_EXTRA_CA_CERTS: ca })
    expect(misnamed.stderr).toContain('other.example')
    expect(misnamed.stderr).toContain('Give the name that it is made for by --url')
    await using old = await serve(authority.issue('localhost', { from: '200101000000Z', to: '210101000000Z' }))
    expect((await run(at(old, 'https'), ['status'], 'x', { NODE_EXTRA_CA_CERTS: ca })).stderr).toContain('CERT_HAS_EXPIRED')
  })

  test('says when it is asked in the wrong way, or is not there', async () => {
    await using server = await serve(authority.issue('localhost'))
    const plain = await run(at(server, 'http'), ['status'])
    expect(plain.stderr).toContain(`--url https://${at(server, 'http').host}`)
    await using echo = createTcpServer((socket) =>
      socket
        .on('error', () => {})
        .resume()
        .end('HTTP/1.1 401 Unauthorized\r\n\r\n'),
    )
    await once(echo.listen(0, '127.0.0.1'), 'listening')
    expect((await run(at(echo, 'https'), ['status'])).stderr).toContain(`--url http://${at(echo, 'https').host}`)
    const { code, stderr } = await run({ getEditorUrl: () => 'http://127.0.0.1:1' }, ['status'])
    expect([code, stderr]).toEqual([1, expect.stringContaining('nothing answers at http://127.0.0.1:1')])
  })
})
