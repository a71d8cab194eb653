import { expect, test } from 'vitest'
import { docker } from '../support/containers.ts'
import { describeContainer, newContainer } from '../support/runtimes.ts'
import { TcpClient } from '../../src/testing/tcp-client.ts'
import { open } from './defects/defect.ts'
import { flowOf, Tab } from './flow-builder.ts'

// More than the buffers of both kernels take, which grow to 10 MB.
const REPLY_BYTES = 16_000_000

describeContainer('SIGTERM', () => {
  /** A container whose port 9504 answers anything with a long reply, and a client that has asked and does not read yet. */
  async function askForMuch() {
    const nodeRed = await newContainer().withExposedPorts(9504).start()
    const admin = await nodeRed.admin
    const tab = new Tab('much')
    const grow = tab.add(
      'change',
      { rules: [{ t: 'set', p: 'payload', pt: 'msg', to: `$pad("", ${REPLY_BYTES}, "x")`, tot: 'jsonata' }] },
      tab.tcpOut({}),
    )
    tab.tcpIn({ port: '9504' }, grow)
    await admin.deploy(flowOf(tab))
    const probe = await open(nodeRed, 9504)
    probe.reset()
    // Straight to the container: a relay's buffers would hide what the container does.
    const client = await TcpClient.connect(9504, nodeRed.getIpAddress(nodeRed.getNetworkNames()[0]!))
    client.socket.pause()
    await client.send('ask')
    const buffered = async () => {
      const sessions = (await (await fetch(`${nodeRed.getStatusUrl()}/sessions`)).json()) as { localPort: number; bufferedBytes?: number }[]
      return Math.max(0, ...sessions.filter(({ localPort }) => localPort === 9504).map(({ bufferedBytes = 0 }) => bufferedBytes))
    }
    await expect.poll(buffered, { timeout: 10_000 }).toBeGreaterThan(0)
    return { nodeRed, client }
  }

  test('sends what waits before it ends, then FIN', async () => {
    const { nodeRed, client } = await askForMuch()
    await using _container = nodeRed
    const stopped = docker('stop', '--time', '20', nodeRed.getId())
    client.socket.resume()
    const reply = await client.read(REPLY_BYTES, { within: 15_000 })
    expect(reply.every((byte) => byte === 'x'.charCodeAt(0))).toBe(true)
    await client.expectClose()
    expect(client.wasReset).toBe(false)
    await stopped
    expect(Number(await docker('inspect', '--format', '{{.State.ExitCode}}', nodeRed.getId()))).toBe(0)
  })

  test('resets a peer that does not take it in time, so that it can tell', async () => {
    const { nodeRed, client } = await askForMuch()
    await using _container = nodeRed
    const started = Date.now()
    await docker('stop', '--time', '20', nodeRed.getId())
    expect(Date.now() - started).toBeLessThan(12_000)
    client.socket.resume()
    await client.expectClose()
    expect(client.wasReset).toBe(true)
  })
})
