import { once } from 'node:events'
import { connect, createServer, type Server } from 'node:net'
import { networkInterfaces, tmpdir } from 'node:os'
import { mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, inject, test } from 'vitest'
import { docker, labelled } from '../support/containers.ts'
import { describeContainer } from '../support/runtimes.ts'
import { TcpClient } from '../support/tcp-client.ts'
import { answersAtEnd, echoes, silence, tellsAddress } from './support/flows.ts'
import { freePorts, PortsProject, reach, refused } from './support/project.ts'
import { SocketProxy } from './support/socket-proxy.ts'

// Closing has to be seen within this, whatever else the machine does meanwhile.
const CLOSED_MS = 2_000
const HEALED_MS = 30_000
// An address of this machine on its LAN. Who comes from there is not given another address on the way in, as 127.0.0.1 is.
const LAN_ADDRESS = Object.entries(networkInterfaces())
  .filter(([name]) => !/^(docker|br-|veth)/.test(name))
  .flatMap(([, addresses]) => addresses ?? [])
  .find(({ family, internal }) => family === 'IPv4' && !internal)?.address

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
      await watcher.says(`${port}: published on 0.0.0.0:${port}, with the address of each device`)
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
        await using half = await TcpClient.connect(second)
        await half.send('all of it')
        half.end()
        await half.expect('all of it')
        await half.expectClose()

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

  describe('faults', () => {
    test('a host port that somebody else has: the others work, and it is healed when it is free', { timeout: 90_000 }, async () => {
      const watcher = await project.watch()
      const [taken = 0, free = 0] = await freePorts(2)
      const server = await occupy(taken)
      await project.deploy(echoes([taken, free]))
      await using _client = (await reach(free)).client
      await watcher.says(`${taken}: not published, port ${taken} of the host is taken by process`)
      const { stdout } = await project.ports('doctor')
      expect(stdout).toContain(`! port ${taken} of this machine is taken by process`)
      await expect.poll(async () => await project.leftovers()).toHaveLength(4)
      server.close()
      await once(server, 'close')
      await using _healed = (await reach(taken, { within: HEALED_MS })).client
    })

    test('a host port that a container has: healed as soon as that is gone', { timeout: 90_000 }, async () => {
      const watcher = await project.watch()
      const [port = 0] = await freePorts(1)
      const id = await docker('run', '--detach', ...labelled(), '--publish', `${port}:1`, '--entrypoint', 'sleep', inject('image'), '300')
      await project.deploy(echoes([port]))
      await watcher.says(`${port}: not published, port ${port} of the host is taken by container`)
      await docker('rm', '--force', '--volumes', id)
      await using _client = (await reach(port)).client
    })

    test('a forwarder that is killed, stopped or removed comes back', { timeout: 120_000 }, async () => {
      await project.watch()
      const port = await deployedEcho()
      const name = `${project.name}-port-${port}`
      for (const how of [['kill'], ['stop'], ['rm', '--force']]) {
        await using client = (await reach(port)).client
        await docker(...how, name)
        await client.expectClose()
        await using _again = (await reach(port)).client
      }
    })

    test(
      'Node-RED restarted, and made anew at another address: devices get through again, and only their bytes do',
      { timeout: 180_000 },
      async () => {
        await project.watch()
        const port = await deployedEcho()
        await using first = (await reach(port)).client
        const id = await project.forwarder(port, '{{.Id}}')
        for (const args of [
          ['restart', 'node-red'],
          ['up', '--detach', '--force-recreate', '--no-deps', 'node-red'],
        ]) {
          await project.compose(...args)
          // Connects all the time: nothing but its own bytes may come back.
          await using again = (await reach(port, { within: HEALED_MS })).client
          await again.expectSilence()
          await project.isReady()
        }
        expect(first.isClosed).toBe(true)
        expect(await project.forwarder(port, '{{.Id}}')).toBe(id)
      },
    )

    test('Node-RED down: nothing is closed; what was deleted meanwhile is closed when it is back', { timeout: 120_000 }, async () => {
      const watcher = await project.watch()
      const port = await deployedEcho()
      await using _client = (await reach(port)).client
      await project.compose('stop', 'node-red')
      await watcher.says('its forwarders stay as they are')
      expect(await project.forwarder(port, '{{.State.Running}}')).toBe('true')
      await docker('kill', `${project.name}-port-${port}`)
      await project.compose('start', 'node-red')
      await project.isReady()
      await watcher.says('Node-RED answers again')
      await using _again = (await reach(port)).client
    })

    test('Docker away for a while: said once, and made up for', { timeout: 90_000 }, async () => {
      const folder = mkdtempSync(join(tmpdir(), 'node-red-tcp-docker-'))
      const path = join(folder, 'docker.sock')
      let proxy = await SocketProxy.listen(path)
      try {
        const watcher = await project.watch({ env: { DOCKER_HOST: `unix://${path}` } })
        const first = await deployedEcho()
        await using client = (await reach(first)).client
        await proxy.close()
        await watcher.says(`the Docker engine at unix://${path} has gone`)
        const [second = 0] = await freePorts(1)
        await project.deploy(echoes([first, second]))
        await watcher.says(`no Docker engine at unix://${path}`)
        await refused(second)
        proxy = await SocketProxy.listen(path)
        await using _second = (await reach(second)).client
        await watcher.says('Docker answers again')
        await client.send('all the time')
        await client.expect('all the time')
      } finally {
        await project.endWatchers()
        await proxy.close()
        rmSync(folder, { recursive: true })
      }
    })

    test('two watchers do not fight: one forwarder for each port, which stays', { timeout: 120_000 }, async () => {
      const watchers = [await project.watch(), await project.watch({ args: ['--max', '3'] })]
      const ports = await freePorts(4)
      await project.deploy(echoes(ports))
      for (const port of ports) await (await reach(port)).client[Symbol.asyncDispose]()
      const ids = await Promise.all(ports.map(async (port) => await project.forwarder(port, '{{.Id}}')))
      // Both have looked again after this: it is an event for them.
      const [extra = 0] = await freePorts(1)
      await project.deploy(echoes([...ports, extra]))
      await using _client = (await reach(extra)).client
      expect(await Promise.all(ports.map(async (port) => await project.forwarder(port, '{{.Id}}')))).toEqual(ids)
      await project.deploy(silence())
      await Promise.all(ports.map((port) => refused(port)))
      for (const watcher of watchers) expect(await watcher.stop()).toBe(0)
      for (const { said } of watchers) expect(said).not.toMatch(/not published|error/i)
    })

    test(
      'docker compose up brings forwarders back, down leaves nothing, and watch goes on with the next project',
      { timeout: 180_000 },
      async () => {
        const watcher = await project.watch()
        const port = await deployedEcho()
        await using _before = (await reach(port)).client
        await project.compose('up', '--wait')
        await using _after = (await reach(port)).client
        await project.compose('down')
        expect(await project.leftovers()).toEqual([])
        await watcher.says('no Node-RED in the compose project')
        await project.compose('up', '--wait')
        await using _again = (await reach(port)).client
      },
    )
  })
})

/** What the flow says to a device that comes from an address of this host. */
async function addressTold(port: number, address: string): Promise<string | undefined> {
  await using device = new TcpClient(connect({ port, host: address, localAddress: address }))
  await device.send('who am I?')
  return (await device.read(20, { within: 1_000 })).toString().split('\n')[0]
}

async function occupy(port: number): Promise<Server> {
  const server = createServer().listen(port, '0.0.0.0')
  await once(server, 'listening')
  return server
}
