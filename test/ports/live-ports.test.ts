import { expect, inject, test } from 'vitest'
import { docker } from '../support/containers.ts'
import { describeContainer } from '../support/runtimes.ts'
import { echoes } from './support/flows.ts'
import { freePorts, PortsProject, reach, refused } from './support/project.ts'

describeContainer('live ports', () => {
  test('publishes what is deployed, without a way to anything but Docker and Node-RED', { timeout: 180_000 }, async () => {
    await using project = await PortsProject.start('profile', { image: inject('image'), livePorts: true, bind: '127.0.0.1' })
    const [port = 0] = await freePorts(1)
    await project.deploy(echoes([port]))
    await using client = (await reach(port)).client
    expect(await project.forwarder(port, '{{(index (index .NetworkSettings.Ports "' + `${port}/tcp` + '") 0).HostIp}}')).toBe('127.0.0.1')

    // The range is on the same address: the doctor says what opens it to other machines.
    await project.deploy(echoes([port, project.first]))
    const doctor = await project.ports('doctor')
    expect(doctor.stdout).toContain(`! is published on 127.0.0.1 only: other machines do not reach it
    → TCP_BIND=0.0.0.0 in .env, then: docker compose up --wait`)
    expect(doctor.code).toBe(1)

    const [watcher, nodeRed] = [`${project.name}-live-ports-1`, `${project.name}-node-red-1`]
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
    const byDefault = await docker(
      'inspect',
      '--format',
      `{{(index .NetworkSettings.Networks "${project.name}_default").IPAddress}}`,
      nodeRed,
    )
    expect(await connectFrom(watcher, 'node-red')).toBe('connected')
    expect(await connectFrom(watcher, byDefault)).toBe('not connected')
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
    // A plain `up` has them off, with all that they have opened; switched on for one command, a plain `down` leaves nothing of them.
    project.set('LIVE_PORTS', undefined)
    await project.compose('up', '--wait')
    await refused(port)
    expect((await project.leftovers()).sort()).toEqual([nodeRed, `${project.name}_control`, `${project.name}_default`].sort())
    await project.composeWith({ LIVE_PORTS: '1' }, 'up', '--wait')
    await using _again = (await reach(port)).client
    await project.compose('down')
    expect(await project.leftovers()).toEqual([])
  })
})

/** Whether a container reaches a port of Node-RED at a host name or an address. */
async function connectFrom(container: string, host: string): Promise<string> {
  const script = `
    const socket = require('net').connect({ host: process.argv[1], port: 1881, timeout: 2000 })
    const end = (text) => { console.log(text); process.exit() }
    socket.on('connect', () => end('connected')).on('error', () => end('not connected')).on('timeout', () => end('not connected'))`
  return await docker('exec', container, 'node', '-e', script, host)
}
