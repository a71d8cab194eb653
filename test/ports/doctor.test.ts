import { createServer, type Server } from 'node:net'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import type { PortRow } from '../../src/ports/shared/diagnosis.ts'
import { docker, labelled } from '../support/containers.ts'
import { describeContainer } from '../support/runtimes.ts'
import { connectsTo, echoes, silence } from './support/flows.ts'
import { freePorts, PortsProject, reach, refused, runPorts } from './support/project.ts'

describeContainer('npm run ports', () => {
  let project: PortsProject

  beforeAll(async () => {
    project = await PortsProject.start('doctor', { image: inject('image') })
  })

  afterAll(async () => {
    await project[Symbol.asyncDispose]()
  })

  /** The row of a port, and what the doctor says of it. */
  async function diagnose(port: number): Promise<{ row: PortRow; doctor: string; code: number }> {
    const [list, doctor] = await Promise.all([project.ports('list', '--json'), project.ports('doctor')])
    const { rows } = JSON.parse(list.stdout) as { rows: PortRow[] }
    for (const line of doctor.stdout.split('\n')) expect(line.length).toBeLessThanOrEqual(160)
    return { row: rows.find((candidate) => candidate.port === port)!, doctor: doctor.stdout, code: doctor.code }
  }

  test('finds nothing to mend where everything is published', async () => {
    await project.deploy(echoes([project.first]))
    const { row, doctor, code } = await diagnose(project.first)
    expect(row).toMatchObject({
      state: 'listening',
      problems: [],
      published: [{ by: 'range', address: '0.0.0.0', hostPort: project.first }],
    })
    expect(doctor).toMatch(
      new RegExp(`^${project.first} +listening +0\\.0\\.0\\.0:${project.first} +range +0 +devices / device ${project.first}$`, 'm'),
    )
    expect(code).toBe(0)
  })

  test('not published: publish opens it, unpublish closes it', async () => {
    const [port = 0] = await freePorts(1)
    await project.deploy(echoes([port]))
    const before = await diagnose(port)
    expect(before.row.problems).toMatchObject([{ code: 'NOT_PUBLISHED', fix: `npm run ports -- publish ${port}` }])
    expect(before.doctor).toContain(`! nothing leads from outside to ${port}\n    → npm run ports -- publish ${port}`)
    expect(before.code).toBe(1)

    const published = await project.ports('publish', String(port))
    expect(published.stderr).toMatch(
      new RegExp(`^ports: ${port}: published on 0\\.0\\.0\\.0:${port}\nports: it stays until unpublish or docker compose down`),
    )
    expect(published.code).toBe(0)
    await using client = (await reach(port)).client
    expect(await project.ports('publish', String(port))).toMatchObject({
      code: 0,
      stderr: `ports: ${port}: published on 0.0.0.0:${port} already\n`,
    })
    const after = await diagnose(port)
    expect(after.row).toMatchObject({ problems: [], clients: 1, published: [{ by: 'forwarder', address: '0.0.0.0', hostPort: port }] })
    expect(after.code).toBe(0)

    expect(await project.ports('unpublish', String(port))).toMatchObject({ code: 0 })
    await client.expectClose()
    await refused(port)
    expect(await project.ports('unpublish', String(port))).toMatchObject({ code: 0, stderr: `ports: ${port}: no forwarder leads to it\n` })
  })

  test('host port taken by a process: it is named, and another host port leads there', async () => {
    const [port = 0] = await freePorts(1)
    await using _other = await occupy(port)
    await project.deploy(echoes([port]))
    const { row, code } = await diagnose(port)
    const fix = `npm run ports -- publish ${port} --host-port ${port + 1}`
    expect(row.problems).toMatchObject([
      { code: 'HOST_PORT_TAKEN', params: { hostPort: port, holder: `process ${nameOfThis()} (pid ${process.pid})` }, fix },
    ])
    expect(code).toBe(1)

    const failed = await project.ports('publish', String(port))
    expect(failed.code).toBe(1)
    expect(failed.stderr).toContain(`port ${port} of this machine is taken by process ${nameOfThis()} (pid ${process.pid}): ${fix}`)
    expect((await project.leftovers()).join(' ')).not.toContain('-port-')

    const [otherPort = 0] = await freePorts(1)
    expect(await project.ports('publish', String(port), '--host-port', String(otherPort))).toMatchObject({ code: 0 })
    await using _client = (await reach(otherPort)).client
    expect((await diagnose(port)).row).toMatchObject({ problems: [], published: [{ by: 'forwarder', hostPort: otherPort }] })
    await project.ports('unpublish', String(port))
  })

  test('host port taken by a container: it is named', async () => {
    const [port = 0] = await freePorts(1)
    const args = ['run', '--detach', ...labelled(), '--publish', `${port}:9999`, '--entrypoint', 'sleep', inject('image'), '60']
    const id = await docker(...args)
    try {
      await project.deploy(echoes([port]))
      const name = (await docker('inspect', '--format', '{{.Name}}', id)).slice(1)
      expect((await diagnose(port)).row.problems).toMatchObject([{ code: 'HOST_PORT_TAKEN', params: { holder: `container ${name}` } }])
      expect((await project.ports('publish', String(port))).stderr).toContain(`is taken by container ${name}`)
    } finally {
      await docker('rm', '--force', '--volumes', id)
    }
  })

  test('published, and nothing listens: ahead of the flow, and it works when the flow comes', async () => {
    const [port = 0] = await freePorts(1)
    await project.deploy(silence())
    expect((await project.ports('publish', String(port))).stderr).toContain(`it works as soon as a flow listens on ${port}`)
    const { row, code } = await diagnose(port)
    expect(row).toMatchObject({ state: 'nothing', problems: [{ code: 'NOTHING_LISTENS', fix: `npm run ports -- unpublish ${port}` }] })
    expect(code).toBe(1)
    await project.deploy(echoes([port]))
    await using _client = (await reach(port)).client
    expect((await diagnose(port)).row.problems).toEqual([])
    // The container is healthy only while somebody listens behind it. What Docker asks every five seconds is asked at once.
    const check = JSON.parse(await project.forwarder(port, '{{json .Config.Healthcheck.Test}}')) as string[]
    expect(check).toEqual(['CMD', '/etc/relay/healthcheck.sh'])
    const isHealthy = async () =>
      await docker('exec', `${project.name}-port-${port}`, ...check.slice(1)).then(
        () => true,
        () => false,
      )
    await expect.poll(isHealthy).toBe(true)
    await project.deploy(silence())
    await expect.poll(isHealthy).toBe(false)
    await project.ports('unpublish', String(port))
  })

  test('published on loopback only: the fix is to publish on all addresses', async () => {
    const [port = 0] = await freePorts(1)
    await project.deploy(echoes([port]))
    await project.ports('publish', String(port), '--bind', '127.0.0.1')
    const { row } = await diagnose(port)
    expect(row.problems).toMatchObject([{ code: 'LOOPBACK_ONLY', fix: `npm run ports -- publish ${port} --bind 0.0.0.0` }])
    expect(await project.ports('publish', String(port), '--bind', '0.0.0.0')).toMatchObject({ code: 0 })
    expect((await diagnose(port)).row.problems).toEqual([])
    await project.ports('unpublish', String(port))
  })

  test('a listener on loopback inside of the container', async () => {
    const port = project.first
    await project.deploy(echoes([port], { host: '127.0.0.1' }))
    const { row } = await diagnose(port)
    expect(row.problems).toMatchObject([{ code: 'LOOPBACK_INSIDE', fix: `clear the bind address of the node "device ${port}"` }])
  })

  test('two nodes on one port: the one that cannot listen is named', async () => {
    const port = project.first
    const [second] = echoes([port]).filter(({ id }) => id === `in-${port}`)
    await project.deploy([...echoes([port]), { ...second!, id: 'in-second', name: 'second' }])
    await expect.poll(async () => (await project.ports('doctor')).stdout).toContain('! cannot listen: ')
    const { stdout, code } = await project.ports('doctor')
    expect(stdout).toContain('second')
    expect(code).toBe(1)
  })

  test('what is no port number: the node is named', async () => {
    const wrong = ['0', '70000', '${NO_SUCH_VARIABLE}'].map((port) => ({
      ...echoes([1])[1]!,
      id: `in-${port}`,
      name: `wrong ${port}`,
      port,
    }))
    await project.deploy([...echoes([project.first]), ...wrong])
    const { stdout, code } = await project.ports('doctor')
    for (const { port, name } of wrong) {
      expect(stdout).toContain(`! cannot listen: "${port}" is not a port number from 1 to 65535`)
      expect(stdout).toContain(`→ change port or address of the node "${name}" on "devices"`)
    }
    expect(stdout).toMatch(/^70000 +failed +- +nobody +0 +devices \/ wrong 70000$/m)
    expect(code).toBe(1)
    // What is only being started is not wrong yet, and the others work.
    await using _client = (await reach(project.first)).client
  })

  test('a client flow whose other side does not answer', async () => {
    const [port = 0] = await freePorts(1)
    await project.deploy(connectsTo('127.0.0.1', port))
    await expect
      .poll(async () => (await diagnose(port)).row)
      .toMatchObject({
        kind: 'client',
        state: 'waiting',
        problems: [{ code: 'NO_ANSWER', params: { host: '127.0.0.1', port } }],
      })
    expect((await project.ports('doctor')).stdout).toMatch(new RegExp(`127\\.0\\.0\\.1:${port} +waiting +devices / device ${port}`))
  })

  test('check follows a byte and says where it gets stuck', async () => {
    const [port = 0] = await freePorts(1)
    await project.deploy(echoes([port]))
    const check = async (...args: string[]) => {
      const { stdout, code } = await project.ports('check', String(port), '--json', ...args)
      const { steps } = JSON.parse(stdout) as { steps: { step: string; state: string; text: string; fix?: string }[] }
      return { code, states: steps.map(({ state }) => state).join(' '), stuck: steps.find(({ state }) => state === 'stuck') }
    }
    const unpublished = await check()
    expect(unpublished).toMatchObject({ code: 1, stuck: { step: 'host port', fix: `npm run ports -- publish ${port}` } })

    await project.ports('publish', String(port))
    await using _client = (await reach(port)).client
    expect(await check('--send', 'hello\\r\\n', '--expect', 'hello\\x0d\\n')).toMatchObject({ code: 0, states: 'ok ok ok ok ok ok' })
    expect(await check()).toMatchObject({ code: 0, states: 'ok ok ok ok ok skipped' })
    const wrong = await check('--send', 'hello', '--expect', 'goodbye', '--timeout', '1')
    expect(wrong).toMatchObject({ code: 1, stuck: { step: 'reply' } })
    expect(wrong.stuck?.text).toContain('what came back is not what is expected: "hello"')

    await docker('pause', `${project.name}-port-${port}`)
    expect(await check()).toMatchObject({ code: 1, stuck: { step: 'relay' } })
    await docker('unpause', `${project.name}-port-${port}`)

    await project.deploy(silence())
    expect(await check()).toMatchObject({ code: 1, stuck: { step: 'listener', fix: `deploy a tcp in node that listens on ${port}` } })
    await project.ports('unpublish', String(port))

    await project.deploy(echoes([project.first]))
    const { stdout } = await project.ports('check', String(project.first), '--send', 'x')
    expect(stdout).toMatch(
      /^✓ host port .*\n· relay .*\n✓ container .*\n✓ listener .*\n✓ connection .*\n✓ reply {7}1 bytes came back: "x"\n$/,
    )
  })

  test('says that Node-RED does not run, and how to start it', async () => {
    await project.compose('stop', 'node-red')
    const { code, stderr } = await project.ports('doctor')
    expect(stderr).toContain(`Node-RED's container ${project.name}-node-red-1 does not run: docker compose up --wait`)
    expect(code).toBe(2)
    await project.compose('start', 'node-red')
    await project.isReady()
  })

  test('says how to build the relay when its image is not there', async () => {
    // The same image under a name for which no relay was built.
    await docker('tag', inject('image'), `${project.name}-image`)
    try {
      const id = await docker(
        ...['run', '--detach', ...labelled(), '--label', `com.docker.compose.project=${project.name}-b`],
        ...['--label', 'com.docker.compose.service=node-red', '--publish', '127.0.0.1::1881', `${project.name}-image`],
      )
      try {
        const { code, stderr } = await runPorts(['publish', '15502', '--project', `${project.name}-b`])
        expect(stderr).toContain(`the relay's image ${project.name}-image-relay is not there: docker compose build forwarder`)
        expect(code).toBe(1)
      } finally {
        await docker('rm', '--force', '--volumes', id)
      }
    } finally {
      await docker('image', 'rm', `${project.name}-image`)
    }
  })
})

async function occupy(port: number): Promise<Server & AsyncDisposable> {
  const server = createServer().listen(port, '0.0.0.0')
  await once(server, 'listening')
  return server
}

/** As /proc has it: the name of the main thread of this process. */
function nameOfThis(): string {
  return readFileSync(`/proc/${process.pid}/comm`, 'utf8').trim()
}
