import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { freePort } from '../src/testing/free-port.ts'
import { describeRuntimes, type RunningNodeRedTcp } from './support/runtimes.ts'

const run = promisify(execFile)
const SETTINGS = ['-D', 'socketReconnectTime=500']

/** Where a scenario's port is reached from this host. */
async function addressOf(nodeRed: RunningNodeRedTcp, port: number): Promise<{ host: string; port: number }> {
  await using probe = await nodeRed.tcp(port)
  return { host: probe.socket.remoteAddress!, port: probe.socket.remotePort! }
}

describeRuntimes('programs of others', (create) => {
  test.each([
    ['ncat', 'printf hello | ncat "$0" "$1"'],
    ['socat', 'printf hello | socat -t 5 - "TCP:$0:$1"'],
  ])('%s gets its answer from TCP response', async (_program, command) => {
    await using nodeRed = await create().start()
    const { host, port } = await addressOf(nodeRed, 9503)
    for (let round = 0; round < 5; round += 1) {
      const { stdout } = await run('sh', ['-c', command, host, String(port)], { timeout: 20_000 })
      expect(stdout).toBe('hello')
    }
  })

  test.each([
    ['ncat', (port: number) => ['--listen', '--keep-open', '0.0.0.0', String(port)]],
    ['socat', (port: number) => ['-u', `TCP-LISTEN:${port},fork,reuseaddr`, '-']],
  ])('%s, listening, gets what TCP out · client sends', async (program, args) => {
    const port = await freePort()
    const assistant = spawn(program, args(port), { stdio: ['pipe', 'pipe', 'inherit'] })
    try {
      await using nodeRed = await create()
        .withEnvironment({ TCP_OUT_CLIENT_PORT: String(port) })
        .withCommand(SETTINGS)
        .start()
      await expect.poll(() => dialled(nodeRed, port), { timeout: 15_000 }).toBe(2)
      let received = ''
      assistant.stdout.on('data', (chunk: Buffer) => (received += chunk.toString()))
      await (await nodeRed.admin).inject('send text', { flow: 'TCP out · client' })
      await expect.poll(() => received, { timeout: 5_000 }).toBe('Hello from Node-RED\n')
    } finally {
      assistant.kill()
      await once(assistant, 'exit')
    }
  })
})

async function dialled(nodeRed: RunningNodeRedTcp, port: number): Promise<number> {
  const sessions = (await (await fetch(`${nodeRed.getStatusUrl()}/sessions`)).json()) as { direction: string; remotePort: number }[]
  return sessions.filter(({ direction, remotePort }) => direction === 'out' && remotePort === port).length
}
