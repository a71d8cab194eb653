import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, expect, inject, test } from 'vitest'
import { docker, labelled } from '../support/containers.ts'
import { describeContainer } from '../support/runtimes.ts'
import { echoes, silence } from './support/flows.ts'
import { freePorts, PortsProject, reach, refused } from './support/project.ts'
import { SocketProxy } from './support/socket-proxy.ts'

const HEALED_MS = 30_000

describeContainer('npm run ports -- watch, when something goes wrong', () => {
  let project: PortsProject

  beforeAll(async () => {
    project = await PortsProject.start('faults', { image: inject('image') })
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

  test(
    'what a person has published is brought back as it was after docker compose up, and not after unpublish or down',
    { timeout: 180_000 },
    async () => {
      const watcher = await project.watch()
      const [port = 0, hostPort = 0, silent = 0] = await freePorts(3)
      await project.deploy(echoes([port]))
      await (await reach(port)).client[Symbol.asyncDispose]()
      // In place of the one that watch has opened.
      const published = await project.ports('publish', String(port), '--host-port', String(hostPort), '--bind', '127.0.0.1')
      expect(published).toMatchObject({ code: 0, stderr: expect.stringContaining(`${port}: published on 127.0.0.1:${hostPort}\n`) })
      expect((await project.ports('publish', String(silent))).code).toBe(0)
      await using _before = (await reach(hostPort)).client
      const labels = '{{index .Config.Labels "node-red-tcp.origin"}} {{index .Config.Labels "node-red-tcp.bind"}}'
      const id = await project.forwarder(port, '{{.Id}}')
      await project.compose('up', '--wait')
      await using _after = (await reach(hostPort)).client
      expect(await project.forwarder(port, labels)).toBe('publish 127.0.0.1')
      expect(await project.forwarder(port, '{{.Id}}')).not.toBe(id)
      expect(await project.forwarder(silent, labels)).toBe('publish 0.0.0.0')

      await project.ports('unpublish', String(silent))
      await project.ports('unpublish', String(port))
      // A flow listens on it, so watch opens it in its own way.
      await using _watched = (await reach(port)).client
      await expect(project.forwarder(silent, labels)).rejects.toThrow('No such object')

      await project.ports('publish', String(silent))
      await project.compose('down')
      await watcher.says('no Node-RED in the compose project')
      await project.compose('up', '--wait')
      await using _again = (await reach(port)).client
      await expect(project.forwarder(silent, labels)).rejects.toThrow('No such object')
    },
  )
})

async function occupy(port: number): Promise<Server> {
  const server = createServer().listen(port, '0.0.0.0')
  await once(server, 'listening')
  return server
}
