import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, inject, test } from 'vitest'
import { parse } from 'yaml'
import { DEAD_PEERS } from '../src/ports/docker/forwarders.ts'
import { flowOf, Tab } from './nodes/flow-builder.ts'
import { docker, labelled } from './support/containers.ts'
import { RUN_NAME, TEST_LABEL } from './support/engine.ts'
import { createNetwork } from './support/network.ts'
import { NodeRedTcpContainer } from '../src/testing/node-red-tcp-container.ts'
import { describeContainer } from './support/runtimes.ts'

const PORT = 9505
// The kernel waits 0.2 s for an answer, then twice as long each time: 3 s and a little in all. Without a setting it would be 15 minutes.
const FEW_TRIES = '3'
// Far more than that, and far less than keepalive takes.
const FOUND_WITHIN_MS = 15_000

class Container extends NodeRedTcpContainer {
  get sysctls() {
    return this.hostConfig.Sysctls
  }

  withSysctls(sysctls: Record<string, string>): this {
    this.hostConfig.Sysctls = sysctls
    return this
  }
}

test('Compose, containers of tests and forwarders have the kernel find dead peers in the same time', () => {
  const file = readFileSync(join(import.meta.dirname, '..', 'docker-compose.yml'), 'utf8')
  const { services } = parse(file, { merge: true }) as { services: Record<string, { sysctls?: object }> }
  expect(DEAD_PEERS).toHaveProperty(['net.ipv4.tcp_retries2'])
  expect(services['node-red']!.sysctls).toEqual(DEAD_PEERS)
  expect(new Container('any').sysctls).toEqual(DEAD_PEERS)
})

describeContainer('a dead peer', () => {
  test('is found when it is written to, and its session is closed', { timeout: 60_000 }, async () => {
    await using network = await createNetwork()
    const tab = new Tab('dead')
    const output = tab.tcpOut({ beserver: 'server', port: String(PORT) })
    const everyMoment = { name: 'tick', props: [{ p: 'payload' }], repeat: '0.1', crontab: '', once: true, topic: '', payload: 'tick' }
    tab.add('inject', { ...everyMoment, payloadType: 'str' }, output)
    await using nodeRed = await new Container(inject('image'))
      .withLabels({ [TEST_LABEL]: RUN_NAME })
      .withSysctls({ 'net.ipv4.tcp_retries2': FEW_TRIES })
      .withNetworkMode(network.name)
      .withNetworkAliases('node-red')
      .withFlow('dead', flowOf(tab))
      .start()
    const read = `exec 3<>/dev/tcp/node-red/${PORT}; exec cat <&3 >/dev/null`
    const peer = await docker(
      ...['run', '--detach', ...labelled(), '--network', network.name, '--entrypoint', 'bash', inject('image'), '-c', read],
    )
    try {
      const sessions = async () => {
        const all = (await (await fetch(`${nodeRed.getStatusUrl()}/sessions`)).json()) as { localPort: number }[]
        return all.filter(({ localPort }) => localPort === PORT)
      }
      await expect.poll(async () => (await sessions()).length, { timeout: 10_000 }).toBe(1)
      await docker('network', 'disconnect', network.name, peer)
      const alive = await docker('inspect', '--format', '{{.State.Running}}', peer)
      expect([alive, (await sessions()).length]).toEqual(['true', 1])
      await expect.poll(sessions, { timeout: FOUND_WITHIN_MS, interval: 200 }).toEqual([])
    } finally {
      await docker('rm', '--force', peer)
    }
  })
})
