import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { stripTypeScriptTypes } from 'node:module'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { AdminClient } from './admin-client.ts'
import { COMPILE_CACHE } from './compile-cache.ts'
import { freePort } from './free-port.ts'
import { waitUntil } from './wait.ts'
import { TcpClient } from './tcp-client.ts'

const DEFAULT_USER = 'admin'
const STARTUP_TIMEOUT_MS = 60_000
const STOP_TIMEOUT_MS = 25_000
const MAIN = join(dirname(dirname(import.meta.dirname)), 'dist', 'src', 'runtime', 'main.js')
const SCENARIO_PORTS = { 9501: 'TCP_IN_SERVER_PORT', 9502: 'TCP_OUT_SERVER_PORT', 9503: 'TCP_RESPONSE_PORT' } as const

/** The distribution as a process of this host, with the same methods as `NodeRedTcpContainer`. Every port is a free one. */
export class EmbeddedNodeRedTcp {
  private readonly folder = mkdtempSync(join(tmpdir(), 'node-red-tcp-'))
  private readonly environment: Record<string, string> = {}
  private arguments: string[] = []
  private password = 'test password'
  private readyPath = '/readyz'
  private extraPorts: number[] = []
  private openFiles: number | undefined

  withFlow(name: string, nodes: readonly object[]): this {
    const flows = join(this.folder, 'flows')
    mkdirSync(flows, { recursive: true })
    writeFileSync(join(flows, `${name}.json`), JSON.stringify(nodes))
    return this
  }

  withAdminPassword(password: string): this {
    this.password = password
    return this
  }

  withEnvironment(environment: Record<string, string>): this {
    Object.assign(this.environment, environment)
    return this
  }

  /** Adds a test's own node type, named after its TypeScript file, which must not import anything. */
  withNode(file: string): this {
    const type = basename(file, '.ts')
    const nodes = join(this.folder, 'data', 'nodes')
    mkdirSync(nodes, { recursive: true })
    writeFileSync(join(nodes, `${type}.js`), stripTypeScriptTypes(readFileSync(file, 'utf8')))
    // Node-RED loads no node without a dialog.
    writeFileSync(
      join(nodes, `${type}.html`),
      `<script type="text/javascript">RED.nodes.registerType('${type}', { category: 'test', defaults: {}, inputs: 1, outputs: 1 })</script>`,
    )
    return this
  }

  withCommand(args: string[]): this {
    this.arguments = args
    return this
  }

  /** How many files and sockets it may have open. */
  withOpenFiles(count: number): this {
    this.openFiles = count
    return this
  }

  withoutReadiness(): this {
    this.readyPath = '/healthz'
    return this
  }

  /** Ports are not mapped here: a flow that listens on one is reached on it. */
  withExposedPorts(...ports: number[]): this {
    this.extraPorts = ports
    return this
  }

  async start(): Promise<StartedEmbeddedNodeRedTcp> {
    const ports = new Map(this.extraPorts.map((port) => [port, port]))
    for (const [port, variable] of Object.entries(SCENARIO_PORTS)) {
      const actual = this.environment[variable] ?? String(await freePort())
      this.environment[variable] = actual
      ports.set(Number(port), Number(actual))
    }
    const limited = this.openFiles === undefined ? [] : ['prlimit', `--nofile=${this.openFiles}`]
    const [command = '', ...args] = [...limited, process.execPath, MAIN, ...this.arguments]
    const child = spawn(command, args, {
      env: {
        PATH: process.env.PATH,
        HOME: this.folder,
        NODE_COMPILE_CACHE: COMPILE_CACHE,
        DATA_DIR: join(this.folder, 'data'),
        FLOWS_DIR: join(this.folder, 'flows'),
        EDITOR_PORT: '0',
        STATUS_PORT: '0',
        NODE_RED_ADMIN_PASSWORD: this.password,
        ...this.environment,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const started = new StartedEmbeddedNodeRedTcp(child, { folder: this.folder, ports, password: this.password })
    await started.waitForReady(this.readyPath)
    return started
  }
}

export class StartedEmbeddedNodeRedTcp implements AsyncDisposable {
  private readonly child: ChildProcess
  private readonly options: { folder: string; ports: Map<number, number>; password: string }
  private output = ''
  private loggedIn: Promise<AdminClient> | undefined

  constructor(child: ChildProcess, options: { folder: string; ports: Map<number, number>; password: string }) {
    this.child = child
    this.options = options
    const keep = (chunk: Buffer) => (this.output += chunk.toString())
    child.stdout?.on('data', keep)
    child.stderr?.on('data', keep)
  }

  /** Everything written to standard output and standard error so far. */
  get log(): string {
    return this.output
  }

  /** The number of its process. */
  get pid(): number {
    return this.child.pid!
  }

  get dataDir(): string {
    return join(this.options.folder, 'data')
  }

  getEditorUrl(): string {
    return this.logged(/Server now running at (https?:\/\/[\d.:]+)/)
  }

  getStatusUrl(): string {
    return this.logged(/Status at (http:\/\/[\d.:]+)/)
  }

  async tcp(port: number): Promise<TcpClient> {
    return await TcpClient.connect(this.options.ports.get(port) ?? port)
  }

  get admin(): Promise<AdminClient> {
    return (this.loggedIn ??= AdminClient.login(this.getEditorUrl(), {
      user: DEFAULT_USER,
      password: this.options.password,
      statusUrl: this.getStatusUrl(),
    }))
  }

  async waitForReady(path: string): Promise<void> {
    try {
      await waitUntil(
        async () => {
          if (this.child.exitCode !== null) throw new Error(`ended with exit code ${this.child.exitCode}`)
          return (await fetch(`${this.getStatusUrl()}${path}`)).ok && this.getEditorUrl() !== ''
        },
        { within: STARTUP_TIMEOUT_MS, what: `${path} of the embedded distribution`, stopOn: () => this.child.exitCode !== null },
      )
    } catch (cause) {
      await this.stop()
      throw new Error(`${(cause as Error).message}\n${this.output}`, { cause })
    }
  }

  /** Sends SIGTERM, waits for the process to end and returns its exit code. */
  async stop(): Promise<number | null> {
    if (this.child.exitCode === null && this.child.signalCode === null) {
      this.child.kill('SIGTERM')
      const timer = setTimeout(() => this.child.kill('SIGKILL'), STOP_TIMEOUT_MS)
      await once(this.child, 'exit')
      clearTimeout(timer)
    }
    return this.child.exitCode
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
    rmSync(this.options.folder, { recursive: true, force: true })
  }

  private logged(pattern: RegExp): string {
    const found = pattern.exec(this.output)?.[1]
    if (found === undefined) throw new Error(`not logged yet: ${pattern}`)
    return found
  }
}
