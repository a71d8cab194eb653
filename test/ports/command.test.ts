import { spawnSync } from 'node:child_process'
import { createServer } from 'node:http'
import { createServer as createTcpServer, type AddressInfo } from 'node:net'
import { once } from 'node:events'
import { mkdtempSync, rmSync, chmodSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { freePort } from '../../src/testing/free-port.ts'
import { describeContainer } from '../support/runtimes.ts'
import { runPorts } from './support/project.ts'

const NOBODY = 65_534

describe('npm run ports', () => {
  test('explains itself', async () => {
    const { code, stdout } = await runPorts(['--help'])
    expect(code).toBe(0)
    for (const command of ['list', 'doctor', 'publish PORT', 'unpublish PORT', 'watch', 'check PORT'])
      expect(stdout).toContain(`  ${command}`)
    for (const line of stdout.split('\n')) expect(line.length).toBeLessThanOrEqual(100)
  })

  test('explains one command, with its own options alone', async () => {
    const { code, stdout } = await runPorts(['publish', '--help'])
    expect(code).toBe(0)
    expect(stdout).toContain('npm run ports -- publish [options] PORT')
    expect(stdout).toMatch(/--host-port PORT .*another port of this machine/)
    expect(stdout).not.toContain('--deny')
  })

  test('takes options in front of the command too', async () => {
    const { code, stderr } = await runPorts(['--json', '--bind', '127.0.0.1', 'list'])
    expect([code, stderr]).toEqual([2, expect.stringContaining('list has no option --bind; it has --project, --status, --json')])
  })

  test.each([
    [['frobnicate'], 'unknown command "frobnicate"; there are: list, doctor, publish, unpublish, watch, check'],
    [['publish'], 'publish needs a port, such as: npm run ports -- publish 15502'],
    [['publish', '0'], 'port "0": allowed is a whole number from 1 to 65535'],
    [['publish', '70000'], 'port "70000": allowed is a whole number from 1 to 65535'],
    [['unpublish', '1e3'], 'port "1e3": allowed is a whole number from 1 to 65535'],
    [['check', 'modbus'], 'port "modbus": allowed is a whole number from 1 to 65535'],
    [['publish', '1', '2'], 'publish: "2" is too much'],
    [['publish', '15502', '--bind', 'localhost'], '--bind "localhost": allowed is an IP address of this machine'],
    [['publish', '15502', '--host-port', '65536'], '--host-port "65536": allowed is a whole number from 1 to 65535'],
    [['watch', '--max', '0'], '--max "0": allowed is a whole number from 1 to 1000'],
    [['watch', '--deny', '10-5'], '--deny "10-5": allowed are ports and ranges, such as 5000-5010,6000'],
    [['list', '--bind', '127.0.0.1'], 'list has no option --bind'],
    [['list', '--status', 'node-red:1881'], '--status "node-red:1881": allowed is an address such as http://127.0.0.1:1881'],
    [['list', '--no-such-option'], "Unknown option '--no-such-option'"],
    [['list', '--jsn'], "Unknown option '--jsn' (Did you mean --json?)"],
    [['publish', '15502', '--host-port'], "Option '--host-port <PORT>' argument missing"],
  ])('refuses %j', async (args, message) => {
    const { code, stdout, stderr } = await runPorts(args)
    expect(stderr).toContain(message)
    expect(stderr).not.toContain('    at ')
    expect(stdout).toBe('')
    expect(code).toBe(2)
  })
})

/** Needs root to become somebody else, and a checkout that others may read. */
function nobodyCanRun(): boolean {
  return process.getuid?.() === 0 && spawnSync(process.execPath, ['--version'], { uid: NOBODY }).status === 0
}

describe('a Docker engine that is of no use', () => {
  test('because there is none', async () => {
    const { code, stderr } = await runPorts(['list'], { env: { DOCKER_HOST: 'unix:///nowhere/docker.sock' } })
    expect(stderr).toContain('no Docker engine at unix:///nowhere/docker.sock: install or start it (sudo systemctl start docker)')
    expect(code).toBe(2)
  })

  test('because it does not run', async () => {
    const port = await freePort()
    const { code, stderr } = await runPorts(['doctor'], { env: { DOCKER_HOST: `tcp://127.0.0.1:${port}` } })
    expect(stderr).toContain(`no Docker engine answers at tcp://127.0.0.1:${port}: start it`)
    expect(code).toBe(2)
  })

  test.skipIf(!nobodyCanRun())('because this user may not use it', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'node-red-tcp-socket-'))
    chmodSync(folder, 0o755)
    const server = createTcpServer().listen(join(folder, 'docker.sock'))
    await once(server, 'listening')
    chmodSync(join(folder, 'docker.sock'), 0o600)
    try {
      const { code, stderr } = await runPorts(['list'], { env: { DOCKER_HOST: `unix://${folder}/docker.sock` }, uid: NOBODY })
      expect(stderr).toContain(`this user may not use the Docker engine at unix://${folder}/docker.sock: sudo usermod -aG docker $USER`)
      expect(code).toBe(2)
    } finally {
      server.close()
      rmSync(folder, { recursive: true })
    }
  })

  test('because it is too old', async () => {
    const server = createServer((_request, response) => response.setHeader('content-type', 'application/json').end('{"ApiVersion":"1.39"}'))
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    const { code, stderr } = await runPorts(['publish', '15502'], { env: { DOCKER_HOST: `tcp://127.0.0.1:${port}` } })
    server.close()
    expect(stderr).toContain("the Docker engine's API is 1.39; at least 1.41 is needed: update to Docker Engine 20.10 or later")
    expect(code).toBe(2)
  })
})

describeContainer('a compose project', () => {
  test('that is not there is named, with the way to start it', async () => {
    const { code, stderr } = await runPorts(['list', '--project', 'no-such-project'])
    expect(stderr).toContain('no Node-RED in the compose project "no-such-project": docker compose up --wait')
    expect(code).toBe(2)
  })

  test('is taken from the environment', async () => {
    const { stderr } = await runPorts(['list'], { env: { COMPOSE_PROJECT_NAME: 'from-the-environment' } })
    expect(stderr).toContain('no Node-RED in the compose project "from-the-environment"')
  })
})
