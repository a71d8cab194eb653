import { once } from 'node:events'
import { createServer } from 'node:net'
import { afterAll, afterEach, beforeAll, describe, expect, inject, test } from 'vitest'
import { describeContainer } from '../support/runtimes.ts'
import { TcpClient } from '../../src/testing/tcp-client.ts'
import { waitUntil } from '../../src/testing/wait.ts'
import { answersAtEnd, echoes, silence, tellsAddress } from './support/flows.ts'
import { addressTold, LAN_ADDRESS } from './support/lan.ts'
import { freePorts, PortsProject, reach, refused } from './support/project.ts'

// Closing has to be seen within this, whatever else the machine does meanwhile.
const CLOSED_MS = 2_000
const HEALED_MS = 30_000

describeContainer('npm run ports -- watch', () => {
  let project: PortsProject

  beforeAll(async () => {
    project = await PortsProject.start('watch', { image: inject('image') })
  })

  afterEach(async () => {
    await project.endWatchers()
  })

  afterAll(async () => {
    await project[Symbol.asyncDispose]()
  })

  /** What the editor's table says is wrong with a port. */
  async function problemsOf(port: number): Promise<string[] | undefined> {
    const { rows } = await project.view()
    return rows.find((row) => row.port === port)?.problems.map(({ code, params }) => `${code} ${params.reason ?? ''}`)
  }

  async function deployedEcho(): Promise<number> {
    const [port = 0] = await freePorts(1)
    await project.deploy(echoes([port]))
    return port
  }

  describe('while all is well', () => {
    test('publishes what is deployed and closes what is deleted; a port of the range is left alone', async () => {
      const watcher = await project.watch()
      const [port = 0] = await freePorts(1)
      await project.deploy(echoes([port, project.first]))
      await using device = (await reach(port)).client
      await watcher.says(`${port}: published on 0.0.0.0:${port}`)
      expect(await project.forwarder(port, '{{index .Config.Labels "node-red-tcp.origin"}}')).toBe('watch')
      await using _other = (await reach(project.first)).client
      expect(await project.leftovers()).toHaveLength(4)

      await project.deploy(silence())
      expect(await refused(port)).toBeLessThan(CLOSED_MS)
      await device.expectClose()
      await expect.poll(async () => await project.leftovers()).toHaveLength(3)
    })

    test.skipIf(LAN_ADDRESS === undefined)("msg.ip is the device's address, which is neither the relay's nor the gateway's", async () => {
      await project.watch()
      const [port = 0] = await freePorts(1)
      await project.deploy(tellsAddress(port))
      const host = LAN_ADDRESS!
      await expect.poll(async () => await addressTold(port, host), { timeout: HEALED_MS }).toBe(host)
      const relay = await project.forwarder(port, '{{range .NetworkSettings.Networks}}{{.IPAddress}} {{.Gateway}} {{end}}')
      expect(relay.trim().split(' ')).toHaveLength(2)
      expect(relay).not.toContain(host)
    })

    test('forwarders are small, without rights and in the project', async () => {
      await project.watch()
      const port = await deployedEcho()
      await using _client = (await reach(port)).client
      const host = JSON.parse(await project.forwarder(port, '{{json .HostConfig}}')) as object
      expect(host).toMatchObject({
        ReadonlyRootfs: true,
        CapDrop: ['ALL'],
        SecurityOpt: ['no-new-privileges:true'],
        Memory: 64 * 2 ** 20,
        PidsLimit: 32,
        RestartPolicy: { Name: 'unless-stopped' },
        NetworkMode: `${project.name}_default`,
      })
      expect(await project.forwarder(port, '{{.Config.User}}')).toBe('haproxy')
      await expect.poll(async () => await project.forwarder(port, '{{.State.Health.Status}}'), { timeout: HEALED_MS }).toBe('healthy')
    })

    test('opens 20 ports that are deployed at once, and closes them', { timeout: 120_000 }, async () => {
      await project.watch()
      const ports = await freePorts(20)
      await project.deploy(echoes(ports))
      const reached = await Promise.all(ports.map((port) => reach(port, { within: 60_000 })))
      for (const { client } of reached) await client[Symbol.asyncDispose]()
      await project.deploy(silence())
      await Promise.all(ports.map((port) => refused(port)))
    })

    test(
      'a connection goes on while other ports come and go, idle or not, and both ends can end one half of it',
      { timeout: 120_000 },
      async () => {
        await project.watch()
        const [first = 0, second = 0] = await freePorts(2)
        await project.deploy([...echoes([first]), ...answersAtEnd(second).slice(1)])
        await using idle = (await reach(first)).client
        await waitUntil(() => endsOneHalf(second), { within: HEALED_MS, what: 'an answer to what was ended' })

        const [third = 0] = await freePorts(1)
        await project.deploy([...echoes([first]), ...echoes([third]).slice(1)])
        await using _other = (await reach(third)).client
        await project.deploy(echoes([first]))
        await refused(third)
        await idle.send('still there')
        await idle.expect('still there')
      },
    )

    test('takes over what it finds: a second start changes nothing', async () => {
      const before = await project.watch()
      const port = await deployedEcho()
      await using client = (await reach(port)).client
      expect(await before.stop()).toBe(0)
      const id = await project.forwarder(port, '{{.Id}}')
      await client.send('without watch')
      await client.expect('without watch')

      const [gone = 0] = await freePorts(1)
      await project.deploy(echoes([port, gone]))
      const after = await project.watch()
      await after.says(`${gone}: published`)
      expect(await project.forwarder(port, '{{.Id}}')).toBe(id)
      await client.send('with another')
      await client.expect('with another')
      expect(await after.stop('SIGKILL')).toBeNull()
      await project.deploy(echoes([port]))
      await project.watch()
      await refused(gone)
    })
  })

  describe('options', () => {
    test('--deny, --max and --bind are kept to, and the editor is told', async () => {
      const [denied = 0, one = 0, two = 0] = await freePorts(3)
      const watcher = await project.watch({ args: ['--deny', String(denied), '--max', '1', '--bind', '127.0.0.1'] })
      await project.deploy(echoes([denied, one, two]))
      await watcher.says('published on 127.0.0.1:')
      await using _client = (await reach(one)).client
      expect(await project.leftovers()).toHaveLength(4)
      await refused(denied)
      await refused(two)
      await expect
        .poll(async () => await problemsOf(denied))
        .toEqual([`PUBLISH_REFUSED watch was told not to publish it: --deny ${denied}`])
      await expect.poll(async () => await problemsOf(two)).toEqual(['PUBLISH_REFUSED watch has its 1 forwarders: --max allows more'])
    })

    test('a port below 1024 only with --allow-privileged', async () => {
      const port = await freePrivilegedPort()
      const without = await project.watch()
      await project.deploy(echoes([port]))
      await expect
        .poll(async () => await problemsOf(port))
        .toEqual(['PUBLISH_REFUSED ports below 1024 are not published by watch without --allow-privileged'])
      await refused(port)
      await without.stop()
      await project.watch({ args: ['--allow-privileged'] })
      await using _client = (await reach(port)).client
    })

    test('leaves what a person has published', async () => {
      const [port = 0] = await freePorts(1)
      await project.deploy(echoes([port]))
      await project.ports('publish', String(port))
      const watcher = await project.watch()
      const [other = 0] = await freePorts(1)
      await project.deploy(echoes([other]))
      await watcher.says(`${other}: published`)
      expect(await project.forwarder(port, '{{index .Config.Labels "node-red-tcp.origin"}}')).toBe('publish')
      await project.ports('unpublish', String(port))
    })
  })
})

/** Whether what is sent before this end's half of the connection is ended comes back after it, and then the other half ends. */
async function endsOneHalf(port: number): Promise<boolean> {
  await using half = await TcpClient.connect(port)
  await half.send('all of it')
  half.end()
  await half.expect('all of it', { within: 1_000 })
  await half.expectClose()
  return true
}

/** A port below 1024 of this host that nobody has. */
async function freePrivilegedPort(): Promise<number> {
  for (let port = 1023; port > 600; port -= 1) {
    const server = createServer().listen(port)
    const isFree = await once(server, 'listening').then(
      () => true,
      () => false,
    )
    server.close()
    if (isFree) return port
  }
  throw new Error('no port below 1024 is free, or this user may not take one')
}
