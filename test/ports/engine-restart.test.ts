import { describe, expect, inject, test } from 'vitest'
import { hasDocker } from '../support/runtimes.ts'
import { echoes } from './support/flows.ts'
import { OwnEngine, whyNoEngine } from './support/own-engine.ts'
import { freePorts, PortsProject, reach } from './support/project.ts'

const HEALED_MS = 90_000

const reason = hasDocker() ? await whyNoEngine() : 'needs a Docker engine'

describe.skipIf(reason !== undefined)(`a restart of the Docker engine${reason === undefined ? '' : ` (skipped: ${reason})`}`, () => {
  test(
    'or a crash of it: when it is back so are the ports, and new ones open, by the watcher of the profile and by one on the host',
    { timeout: 480_000 },
    async () => {
      await using engine = await OwnEngine.start()
      const image = inject('image')
      await engine.load(image, `${image}-relay`, `${image}-live-ports`)
      await using project = await PortsProject.start('restart', { image, livePorts: true, engine })
      const { address: host } = engine
      const watcher = await project.watch({ args: ['--status', project.statusUrl], env: { DOCKER_HOST: engine.dockerHost } })
      const [first = 0, ...others] = await freePorts(3)
      await project.deploy(echoes([first]))
      await using _before = (await reach(first, { host, within: HEALED_MS })).client
      const open = [first]
      for (const happens of ['restart', 'crash'] as const) {
        const from = watcher.said.length
        await engine[happens]()
        await project.isReady()
        for (const port of open) await (await reach(port, { host, within: HEALED_MS })).client[Symbol.asyncDispose]()
        await watcher.says('Docker answers again', { from })
        open.push(others.shift() ?? 0)
        await project.deploy(echoes(open))
        await using _another = (await reach(open.at(-1)!, { host, within: HEALED_MS })).client
      }
      // One that watches alone does as well: the other has not done it all.
      await project.endWatchers()
      await project.deploy(echoes([first]))
      const names = async () => await engine.docker('ps', '--all', '--format', '{{.Names}}', '--filter', 'name=-port-')
      await expect.poll(names, { timeout: HEALED_MS }).toBe(`${project.name}-port-${first}`)
      await project.compose('down', '--volumes')
      expect(await engine.docker('ps', '--all', '--quiet')).toBe('')
    },
  )
})
