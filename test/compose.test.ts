import { execFile } from 'node:child_process'
import { appendFileSync, globSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { expect, inject, test } from 'vitest'
import { AdminClient } from '../src/testing/admin-client.ts'
import { createCheckout } from './support/checkout.ts'
import { docker } from './support/containers.ts'
import { RUN_NAME } from './support/engine.ts'
import { freePort } from '../src/testing/free-port.ts'
import { describeContainer } from './support/runtimes.ts'
import { TcpClient } from '../src/testing/tcp-client.ts'

const run = promisify(execFile)
const PASSWORD = 'compose password'

type HostConfig = Record<string, unknown>

const ROOT = dirname(import.meta.dirname)
// What the documents tell people to write into docker-compose.override.yml.
const OVERRIDES = globSync(['README*.md', 'docs/*.md'], { cwd: ROOT }).flatMap((document) =>
  [...readFileSync(join(ROOT, document), 'utf8').matchAll(/```yaml\n(services:\n[^]*?)```/g)].map(([, text = ''], at) => ({
    name: `${document}, number ${at + 1}`,
    text,
  })),
)

/** A checkout with a `.env` that moves every port, as a Compose project of its own. */
async function createProject() {
  const checkout = await createCheckout()
  const [editor, status, first] = [await freePort(), await freePort(), await freePort()]
  const settings = {
    COMPOSE_PROJECT_NAME: `${RUN_NAME}-compose`,
    IMAGE: inject('image'),
    NODE_RED_ADMIN_PASSWORD: PASSWORD,
    EDITOR_PORT: editor,
    STATUS_PORT: status,
    TCP_BIND: '127.0.0.1',
    TCP_PORTS: `${first}-${first + 4}`,
    PLC_PORT: first + 4,
  }
  writeFileSync(
    join(checkout.folder, '.env'),
    Object.entries(settings)
      .map(([name, value]) => `${name}=${value}\n`)
      .join(''),
  )
  const env = { PATH: process.env.PATH, HOME: process.env.HOME }
  const compose = (...args: string[]) => run('docker', ['compose', ...args], { cwd: checkout.folder, env })
  return {
    compose,
    folder: checkout.folder,
    url: `http://127.0.0.1:${editor}`,
    status: `http://127.0.0.1:${status}`,
    first,
    [Symbol.asyncDispose]: async () => {
      await compose('down', '--volumes', '--timeout', '20')
      await checkout[Symbol.asyncDispose]()
    },
  }
}

describeContainer('docker compose', () => {
  test('reads the file without a warning', async () => {
    await using project = await createProject()
    const { stderr } = await project.compose('config', '--quiet')
    expect(stderr).toBe('')
  })

  test('takes every override file of the documents', async () => {
    await using project = await createProject()
    const read = async ({ name, text }: { name: string; text: string }) => {
      writeFileSync(join(project.folder, 'docker-compose.override.yml'), text)
      const { stdout } = await project.compose('config', '--format', 'json').catch((cause: unknown) => {
        throw new Error(`${name} is refused`, { cause })
      })
      return (JSON.parse(stdout) as { services: Record<string, Record<string, unknown>> }).services['node-red']!
    }
    const services = []
    for (const override of OVERRIDES) services.push(await read(override))
    // The host's network in both languages: the editor does not come out of it open to all.
    const onHost = services.filter(({ network_mode }) => network_mode === 'host')
    const binds = onHost.map(({ environment }) => environment as Record<string, string>).map((set) => [set.EDITOR_BIND, set.STATUS_BIND])
    expect(binds).toEqual([
      ['127.0.0.1', '127.0.0.1'],
      ['127.0.0.1', '127.0.0.1'],
    ])
  })

  test.each([
    ['given', 'a certificate\n'],
    ['not given', ''],
  ])('root certificates of the build are there for the palette, when they are %s', async (_, content) => {
    await using project = await createProject()
    const ca = join(project.folder, 'ca.pem')
    writeFileSync(ca, content)
    appendFileSync(join(project.folder, '.env'), content === '' ? '' : `EXTRA_CA_FILE=${ca}\n`)
    const read = ['run', '--rm', '--no-deps', '-T', '--entrypoint', 'sh', 'node-red', '-c', 'cat "$EXTRA_CA_FILE"']
    expect((await project.compose(...read)).stdout).toBe(content)
  })

  test('up --wait ends healthy on moved ports; restart, down and up keep flows and login', { timeout: 180_000 }, async () => {
    await using project = await createProject()
    const { compose, url, first } = project
    await compose('up', '--wait')
    expect((await fetch(`${project.status}/readyz`)).status).toBe(200)
    expect((await fetch(`${url}/flows`)).status).toBe(401)
    await echoes(first + 3)

    const admin = await AdminClient.login(url, { user: 'admin', password: PASSWORD })
    await admin.deploy([...(await admin.flows()), ...echoOn('${PLC_PORT}')])
    await expect.poll(async () => (await fetch(`${project.status}/readyz`)).status).toBe(200)
    await echoes(first + 4)

    await compose('restart')
    await compose('up', '--wait')
    await echoes(first + 4)
    await compose('down')
    await compose('up', '--wait')
    await echoes(first + 4)
    // The token is from before: sessions live in the volume too.
    expect((await admin.flows()).some(({ label }) => label === 'mine')).toBe(true)
    expect((await compose('exec', '-T', 'node-red', 'sh', '-c', 'cat /proc/1/comm; ulimit -n')).stdout).toMatch(/^docker-init\n16384\n$/)
    const id = (await compose('ps', '--quiet')).stdout.trim()
    expect(JSON.parse(await docker('inspect', '--format', '{{json .HostConfig}}', id)) as HostConfig).toMatchObject({
      ReadonlyRootfs: true,
      CapDrop: ['ALL'],
      SecurityOpt: ['no-new-privileges:true'],
      Init: true,
      Memory: 2 ** 30,
      PidsLimit: 200,
      RestartPolicy: { Name: 'unless-stopped' },
      LogConfig: { Type: 'json-file', Config: { 'max-size': '10m', 'max-file': '3' } },
    })
    expect(await docker('inspect', '--format', '{{.Config.StopTimeout}}', id)).toBe('20')
  })
})

async function echoes(port: number): Promise<void> {
  await using client = await TcpClient.connect(port)
  await client.send('through compose')
  await client.expect('through compose')
}

function echoOn(port: string) {
  const base = { z: 'ab40000000000001', name: '', tls: '', base64: false }
  return [
    { id: 'ab40000000000001', type: 'tab', label: 'mine' },
    {
      ...base,
      id: 'ab40000000000002',
      type: 'tcp in',
      server: 'server',
      host: '',
      port,
      datamode: 'stream',
      datatype: 'buffer',
      newline: '',
      topic: '',
      trim: false,
      wires: [['ab40000000000003']],
    },
    { ...base, id: 'ab40000000000003', type: 'tcp out', beserver: 'reply', host: '', port: '', end: false, wires: [] },
  ]
}
