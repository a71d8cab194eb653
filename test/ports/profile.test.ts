import { expect, inject, test } from 'vitest'
import { docker } from '../support/containers.ts'
import { describeContainer } from '../support/runtimes.ts'
import { echoes, silence } from './support/flows.ts'
import { freePorts, PortsProject, reach, refused } from './support/project.ts'

describeContainer('the compose profile live-ports', () => {
  test('publishes what is deployed, without a way to anything but Docker and Node-RED', { timeout: 180_000 }, async () => {
    await using project = await PortsProject.start('profile', { image: inject('image'), profile: true, bind: '127.0.0.1' })
    const [port = 0] = await freePorts(1)
    await project.deploy(echoes([port]))
    await using client = (await reach(port)).client
    expect(await project.forwarder(port, '{{(index (index .NetworkSettings.Ports "' + `${port}/tcp` + '") 0).HostIp}}')).toBe('127.0.0.1')

    const watcher = `${project.name}-live-ports-1`
    const inspect = async (format: string) => JSON.parse(await docker('inspect', '--format', `{{json ${format}}}`, watcher)) as unknown
    expect(await inspect('.HostConfig')).toMatchObject({
      ReadonlyRootfs: true,
      CapDrop: ['ALL'],
      SecurityOpt: ['no-new-privileges:true'],
      Memory: 128 * 2 ** 20,
      PidsLimit: 50,
      PortBindings: {},
    })
    // What the kernel says of it, too: no capability, nothing to write to, no way out.
    const inside = async (script: string) => await docker('exec', watcher, 'sh', '-c', script)
    expect(await inside('grep CapEff /proc/1/status')).toMatch(/\s0+$/)
    await expect(inside('touch /here')).rejects.toThrow('Read-only file system')
    expect(await inside('grep -c ^eth0.00000000 /proc/net/route || true')).toBe('0')
    expect(Object.keys((await inspect('.NetworkSettings.Networks')) as object)).toEqual([`${project.name}_control`])
    expect(await docker('network', 'inspect', '--format', '{{.Internal}}', `${project.name}_control`)).toBe('true')
    const mounts = await docker(
      'ps',
      '--filter',
      `label=com.docker.compose.project=${project.name}`,
      '--format',
      '{{.Names}} {{.Mounts}}',
      '--no-trunc',
    )
    expect(mounts.split('\n').filter((line) => line.includes('docker.sock'))).toEqual([`${watcher} /var/run/docker.sock`])

    await docker('restart', watcher)
    await client.send('through its restart')
    await client.expect('through its restart')
    await project.deploy(silence())
    await refused(port)
    // Compose gives up when a container that it was about to stop has gone.
    await expect.poll(async () => await project.leftovers()).toHaveLength(4)
    await project.compose('down')
    expect(await project.leftovers()).toEqual([])
  })
})
