import { execFile } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'
import { describeRuntimes, type RunningNodeRedTcp } from './support/runtimes.ts'

const home = dirname(import.meta.dirname)

type Ended = { code: number; stdout: string; stderr: string }

/** A checkout of its own, so that `export` writes there. */
function createCheckout() {
  const folder = mkdtempSync(join(tmpdir(), 'node-red-tcp-'))
  for (const name of ['flows', 'scripts', 'provisioning', 'storage', 'package.json'])
    cpSync(join(home, name), join(folder, name), { recursive: true })
  symlinkSync(join(home, 'node_modules'), join(folder, 'node_modules'))
  const run = (nodeRed: Pick<RunningNodeRedTcp, 'getEditorUrl'>, args: string[], password = 'flows password') =>
    new Promise<Ended>((resolve) => {
      const env = { PATH: process.env.PATH, NODE_RED_ADMIN_PASSWORD: password }
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
    await admin.deploy(withoutClient.map((node) => (node.name === 'listen on 9501' ? { ...node, name: 'scanner' } : node)))
    const { stdout } = await run(nodeRed, ['status'])
    expect(stdout).toMatch(/^tcp-in-server +edited in the editor$/m)
    expect(stdout).toMatch(/^tcp-in-client +deleted in the editor$/m)

    const diff = (await run(nodeRed, ['diff', 'tcp-in-server'])).stdout.split('\n').filter((line) => /^[+-] /.test(line))
    expect(diff.map((line) => line.replace(/\s+/g, ' '))).toEqual(['- "name": "listen on 9501",', '+ "name": "scanner",'])

    expect((await run(nodeRed, ['export', 'tcp-in-server'])).code).toBe(0)
    const exported = readFileSync(join(folder, 'flows', 'tcp-in-server.json'), 'utf8')
    expect(exported).toBe(readFileSync(join(home, 'flows', 'tcp-in-server.json'), 'utf8').replace('listen on 9501', 'scanner'))

    expect((await run(nodeRed, ['reset', 'tcp-in-server'])).code).toBe(0)
    expect((await run(nodeRed, ['reset', 'tcp-in-client'])).code).toBe(0)
    const names = (await admin.flows()).map(({ name }) => name)
    expect(names).toContain('listen on 9501')
    expect(names).toContain('connect to 9601')
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
    const nobody = { getEditorUrl: () => 'http://127.0.0.1:9' }
    expect(await run(nobody, ['status'])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('nothing answers at http://127.0.0.1:9'),
    })
  })
})
