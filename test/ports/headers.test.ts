import { expect, inject, test } from 'vitest'
import { describeContainer } from '../support/runtimes.ts'
import { TcpClient } from '../../src/testing/tcp-client.ts'
import { echoes, tellsAddress, tellsHeader } from './support/flows.ts'
import { addressTold, LAN_ADDRESS } from './support/lan.ts'
import { freePorts, PortsProject, reach } from './support/project.ts'

const HEALED_MS = 30_000

describeContainer('a forwarder', () => {
  test(
    'sends PROXY headers while the listener wants them, whoever comes to listen, without being made anew',
    { timeout: 180_000 },
    async () => {
      await using project = await PortsProject.start('headers', { image: inject('image'), env: { FUNCTION_EXTERNAL_MODULES: 'true' } })
      const [port = 0, other = 0] = await freePorts(2)
      await project.deploy([...tellsHeader(port), ...echoes([other]).slice(1)])
      for (const each of [port, other]) expect((await project.ports('publish', String(each))).code).toBe(0)
      const id = await project.forwarder(port, '{{.Id}}')
      await using bystander = (await reach(other)).client
      for (let round = 0; round < 2; round += 1) {
        await expect.poll(async () => await firstWords(port), { timeout: HEALED_MS }).toBe('plain')
        await project.deploy([...tellsAddress(port), ...echoes([other]).slice(1)])
        // The first that gets an answer is known by its own address.
        let told: string | undefined
        const ask = async () => (told = await addressTold(port, LAN_ADDRESS ?? '127.0.0.1').catch(() => undefined))
        await expect.poll(ask, { timeout: HEALED_MS }).toBeDefined()
        if (LAN_ADDRESS !== undefined) expect(told).toBe(LAN_ADDRESS)
        await project.deploy([...tellsHeader(port), ...echoes([other]).slice(1)])
      }
      expect(await project.forwarder(port, '{{.Id}} {{.RestartCount}}')).toBe(`${id} 0`)
      await bystander.send('all the time')
      await bystander.expect('all the time')
      expect((await project.ports('doctor')).code).toBe(0)
    },
  )
})

/** What the other kind of node says that a connection has begun with; undefined: nothing yet. */
async function firstWords(port: number): Promise<string | undefined> {
  await using client = await TcpClient.connect(port)
  await client.send('hello')
  return (await client.read(5, { within: 1_000 }).catch(() => undefined))?.toString()
}
