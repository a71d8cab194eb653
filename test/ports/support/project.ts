import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { AdminClient, type FlowNode } from '../../../src/testing/admin-client.ts'
import type { PortsView } from '../../../src/ports/shared/view.ts'
import { createCheckout } from '../../support/checkout.ts'
import { COMPILE_CACHE } from '../../../src/testing/compile-cache.ts'
import { docker } from '../../support/containers.ts'
import { RUN_NAME } from '../../support/engine.ts'
import { freePort } from '../../../src/testing/free-port.ts'
import { TcpClient } from '../../../src/testing/tcp-client.ts'
import { waitUntil } from '../../../src/testing/wait.ts'
import { silence } from './flows.ts'
import type { OwnEngine } from './own-engine.ts'

const PASSWORD = 'live ports'
const SCRIPT = join(dirname(dirname(dirname(import.meta.dirname))), 'scripts', 'ports.ts')
const START_TIMEOUT_MS = 15_000
const REACH_TIMEOUT_MS = 20_000
const ANSWER_TIMEOUT_MS = 2_000
const POLL_MS = 50

/** What a command has answered. */
export type Outcome = { code: number; stdout: string; stderr: string }

/** `npm run ports -- …` as a process of this host. */
export async function runPorts(args: string[], { env = {}, uid }: { env?: Record<string, string>; uid?: number } = {}): Promise<Outcome> {
  const { promise, resolve } = Promise.withResolvers<Outcome>()
  const environment = { PATH: process.env.PATH, HOME: process.env.HOME, NODE_COMPILE_CACHE: COMPILE_CACHE, ...env }
  execFile(process.execPath, [SCRIPT, ...args], { env: environment, ...(uid === undefined ? {} : { uid }) }, (error, stdout, stderr) =>
    resolve({ code: error ? Number(error.code) : 0, stdout, stderr }),
  )
  return await promise
}

type Options = {
  image: string
  bind?: string
  livePorts?: boolean
  /** More lines of .env. */
  env?: Record<string, string>
  /** Another engine than the machine's. */
  engine?: OwnEngine
}

type Placed = {
  name: string
  folder: string
  address: string
  editor: number
  status: number
  first: number
  dockerHost: string | undefined
}

/** Node-RED with docker-compose.yml as it is, as a compose project of its own, on ports that nobody has. */
export class PortsProject implements AsyncDisposable {
  readonly name: string
  readonly statusUrl: string
  /** The first port of the range that the container itself publishes, on the same address of this host. */
  readonly first: number
  readonly folder: string
  private readonly url: string
  private readonly dockerHost: string | undefined
  private readonly watchers = new Set<Watcher>()
  private loggedIn: Promise<AdminClient> | undefined

  private constructor(options: Placed) {
    this.name = options.name
    this.folder = options.folder
    this.first = options.first
    this.url = `http://${options.address}:${options.editor}`
    this.statusUrl = `http://${options.address}:${options.status}`
    this.dockerHost = options.dockerHost
  }

  /** Starts the project from an image and those that belong to it; its flows are empty then. */
  static async start(name: string, { image, bind = '0.0.0.0', livePorts = false, env = {}, engine }: Options): Promise<PortsProject> {
    const { folder } = await createCheckout()
    const [editor, status, first, open] = [await freePort(), await freePort(), await freePort(), await freePort()]
    const place = engine ? { address: engine.address, status: open } : { address: '127.0.0.1', status }
    const project = new PortsProject({ name: `${RUN_NAME}-ports-${name}`, folder, editor, first, ...place, dockerHost: engine?.dockerHost })
    writeFileSync(join(folder, 'docker-compose.override.yml'), JSON.stringify({ services: servicesFor(engine, open) }))
    const settings = {
      COMPOSE_PROJECT_NAME: project.name,
      ...(livePorts ? { LIVE_PORTS: 1 } : {}),
      IMAGE: image,
      NODE_RED_ADMIN_PASSWORD: PASSWORD,
      EDITOR_PORT: editor,
      STATUS_PORT: status,
      TCP_BIND: bind,
      TCP_PORTS: `${first}-${first + 3}`,
      ASSISTANT_HOST: '127.0.0.1',
      ...(engine ? { EDITOR_BIND: '0.0.0.0' } : {}),
      ...env,
    }
    const lines = Object.entries(settings).map(([key, value]) => `${key}=${value}\n`)
    writeFileSync(join(folder, '.env'), lines.join(''))
    await project.compose('up', '--wait')
    await project.deploy(silence())
    return project
  }

  async compose(...args: string[]): Promise<string> {
    return await this.composeWith({}, ...args)
  }

  /** With variables for this one command, in front of what .env says. */
  async composeWith(variables: Record<string, string>, ...args: string[]): Promise<string> {
    const { promise, resolve, reject } = Promise.withResolvers<string>()
    const engine = this.dockerHost ? { DOCKER_HOST: this.dockerHost } : {}
    const env = { PATH: process.env.PATH, HOME: process.env.HOME, ...engine, ...variables }
    execFile('docker', ['compose', ...args], { cwd: this.folder, env }, (error, stdout, stderr) =>
      error ? reject(new Error(`${error.message}\n${stderr}`)) : resolve(stdout),
    )
    return await promise
  }

  /** Sets a variable in .env, or takes it out. */
  set(name: string, value: string | undefined): void {
    const file = join(this.folder, '.env')
    const others = readFileSync(file, 'utf8')
      .split('\n')
      .filter((line) => !line.startsWith(`${name}=`))
    writeFileSync(file, [...(value === undefined ? [] : [`${name}=${value}`]), ...others].join('\n'))
  }

  /** Deploys these nodes in place of all others. */
  async deploy(nodes: readonly FlowNode[]): Promise<void> {
    await (await this.admin()).deploy(nodes)
  }

  /** What the editor shows about ports. */
  async view(): Promise<PortsView> {
    return (await (await (await this.admin()).request('/ports')).json()) as PortsView
  }

  private async admin(): Promise<AdminClient> {
    return await (this.loggedIn ??= AdminClient.login(this.url, { user: 'admin', password: PASSWORD, statusUrl: this.statusUrl }))
  }

  /** Waits until Node-RED is ready again. */
  async isReady(): Promise<void> {
    const ready = async () => (await fetch(`${this.statusUrl}/readyz`)).ok
    await waitUntil(ready, { within: 60_000, what: `Node-RED of ${this.name}` })
  }

  /** `npm run ports -- … --project …`. */
  async ports(...args: string[]): Promise<Outcome> {
    return await runPorts([...args, '--project', this.name])
  }

  /** Starts `watch` as a process of this host. */
  async watch({ args = [], env = {} }: { args?: string[]; env?: Record<string, string> } = {}): Promise<Watcher> {
    const watcher = new Watcher(['watch', '--project', this.name, ...args], env)
    this.watchers.add(watcher)
    await watcher.says('watching')
    return watcher
  }

  /** The container that forwards a port; throws when there is none. */
  async forwarder(port: number, format: string): Promise<string> {
    return await docker('inspect', '--format', format, `${this.name}-port-${port}`)
  }

  /** Names of all containers of the project that are left, forwarders or not, and of its networks. */
  async leftovers(): Promise<string[]> {
    const label = `label=com.docker.compose.project=${this.name}`
    const containers = await docker('ps', '--all', '--filter', label, '--format', '{{.Names}}')
    const networks = await docker('network', 'ls', '--filter', label, '--format', '{{.Name}}')
    return `${containers}\n${networks}`.split('\n').filter((name) => name !== '')
  }

  /** Ends all that {@link watch} has started. */
  async endWatchers(): Promise<void> {
    for (const watcher of this.watchers) await watcher.stop()
    this.watchers.clear()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.endWatchers()
    await this.compose('down', '--volumes', '--remove-orphans', '--timeout', '20')
    rmSync(this.folder, { recursive: true, force: true })
  }
}

/** What is not as in docker-compose.yml. What another engine needs: its own socket, and a status port that is reached from outside of its network. */
function servicesFor(engine: OwnEngine | undefined, statusPort: number): object {
  // `up --wait` waits for the first check, which Docker makes after an interval: ten seconds, as the image comes.
  const healthcheck = { interval: '1s' }
  if (!engine) return { 'node-red': { healthcheck } }
  const socket = `${engine.dockerHost.replace('unix://', '')}:/var/run/docker.sock`
  return { 'node-red': { healthcheck, ports: [`0.0.0.0:${statusPort}:1881`] }, 'live-ports': { volumes: [socket] } }
}

/** `npm run ports -- watch` as a process. */
export class Watcher {
  private readonly child
  private log = ''

  constructor(args: string[], env: Record<string, string>) {
    this.child = spawn(process.execPath, [SCRIPT, ...args], {
      env: { PATH: process.env.PATH, HOME: process.env.HOME, NODE_COMPILE_CACHE: COMPILE_CACHE, ...env },
      stdio: ['ignore', 'inherit', 'pipe'],
    })
    this.child.stderr.on('data', (chunk: Buffer) => (this.log += chunk.toString()))
  }

  /** Waits until it has written this, after `from` characters. */
  async says(text: string, { from = 0, within = START_TIMEOUT_MS }: { from?: number; within?: number } = {}): Promise<void> {
    await waitUntil(() => this.log.includes(text, from), { within, what: `"${text}" from watch` }).catch((error: Error) => {
      throw new Error(`${error.message}\n${this.log}`)
    })
  }

  /** How much it has written so far. */
  get said(): string {
    return this.log
  }

  /** Ends it as a service manager does; tells its exit code. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> {
    if (this.child.exitCode === null && this.child.signalCode === null) {
      this.child.kill(signal)
      await once(this.child, 'exit')
    }
    return this.child.exitCode
  }
}

/** Waits until an echo flow answers on a port of this host; tells how long that took in milliseconds, and the open connection. */
export async function reach(
  port: number,
  { within = REACH_TIMEOUT_MS, pollMs = POLL_MS, attemptMs = ANSWER_TIMEOUT_MS, host = '127.0.0.1' } = {},
): Promise<{ client: TcpClient; ms: number }> {
  const started = Date.now()
  let found: TcpClient | undefined
  const attempt = async () => {
    const client = await TcpClient.connect(port, host)
    try {
      await client.send('ping')
      // Docker accepts a little before the forwarder does, and closes then.
      await waitUntil(() => client.available >= 'ping'.length || client.isClosed, { within: attemptMs, pollMs, what: 'an answer' })
      await client.expect('ping', { within: 0 })
      found = client
      return true
    } catch (error) {
      await client[Symbol.asyncDispose]()
      throw error
    }
  }
  await waitUntil(attempt, { within, pollMs, what: `an echo on port ${port}` })
  return { client: found!, ms: Date.now() - started }
}

/** Waits until nobody accepts on a port of this host; tells how long that took in milliseconds. */
export async function refused(port: number, { within = REACH_TIMEOUT_MS, pollMs = POLL_MS } = {}): Promise<number> {
  const started = Date.now()
  const isRefused = async () => {
    try {
      await using _client = await TcpClient.connect(port)
      return false
    } catch (error) {
      return (error as NodeJS.ErrnoException).code === 'ECONNREFUSED'
    }
  }
  await waitUntil(isRefused, { within, pollMs, what: `a refusal on port ${port}` })
  return Date.now() - started
}

/** Ports of this host that nobody has, in ascending order. */
export async function freePorts(count: number): Promise<number[]> {
  const ports = new Set<number>()
  while (ports.size < count) ports.add(await freePort())
  return [...ports].sort((a, b) => a - b)
}
