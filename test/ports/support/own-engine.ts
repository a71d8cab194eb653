import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, openSync, closeSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { hasCommand, output, succeeds } from '../../../src/cli/command.ts'
import { waitUntil } from '../../../src/testing/wait.ts'

const START_TIMEOUT_MS = 60_000
const END_TIMEOUT_MS = 30_000
const TOOLS = ['dockerd', 'ip', 'nsenter', 'setpriv', 'iptables']
// Documentation addresses, which are nobody's: https://www.rfc-editor.org/rfc/rfc5737
const HERE = '198.51.100.1'
const THERE = '198.51.100.2'

/** Why no engine can be started here; undefined: one can. */
export async function whyNoEngine(): Promise<string | undefined> {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return 'needs root on Linux'
  for (const tool of TOOLS) if (!(await hasCommand(tool))) return `needs ${tool}`
  return undefined
}

/**
 * A Docker engine beside that of the machine, in a network of its own: engines that share one take each other's packet filter rules away.
 * What it publishes is reached at `address`.
 */
export class OwnEngine implements AsyncDisposable {
  readonly address = THERE
  readonly dockerHost: string
  private readonly folder = mkdtempSync(join(tmpdir(), 'nrt-engine-'))
  private readonly network = `nrt-engine-${process.pid}`
  private daemon: ChildProcess | undefined

  private constructor() {
    this.dockerHost = `unix://${this.folder}/docker.sock`
  }

  static async start(): Promise<OwnEngine> {
    const engine = new OwnEngine()
    try {
      await engine.connectNetwork()
      await engine.run()
    } catch (error) {
      await engine[Symbol.asyncDispose]()
      throw error
    }
    return engine
  }

  /** `docker …` on this engine. */
  async docker(...args: string[]): Promise<string> {
    return await output('docker', ['--host', this.dockerHost, ...args])
  }

  /** Copies images from the machine's engine. */
  async load(...images: string[]): Promise<void> {
    await output('sh', ['-c', 'docker save "$@" | docker --host "$0" load', this.dockerHost, ...images])
  }

  /** Ends it as a service manager does, and starts it again. */
  async restart(): Promise<void> {
    await this.end('SIGTERM')
    await this.run()
  }

  /** All that belongs to it is gone from one moment to the next, as when the power fails, and it is started again. */
  async crash(): Promise<void> {
    const ids = (await this.docker('ps', '--quiet')).split('\n').filter((id) => id !== '')
    const pids = (await this.docker('inspect', '--format', '{{.State.Pid}}', ...ids)).split('\n').map(Number)
    const keepers = pids.map(parentOf)
    await this.end('SIGKILL')
    for (const pid of [...keepers, ...pids]) process.kill(pid, 'SIGKILL')
    await this.run()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.end('SIGTERM')
    await succeeds('ip', ['netns', 'delete', this.network])
    // One that has crashed leaves its mounts, and the next one does not know that they are its own.
    for (const path of mountsIn(this.folder)) await succeeds('umount', ['--lazy', path])
    rmSync(this.folder, { recursive: true, force: true })
  }

  private async connectNetwork(): Promise<void> {
    const [here, there] = [`nrt${process.pid}`, `nrtp${process.pid}`]
    const ip = async (...args: string[]) => await output('ip', args)
    await ip('netns', 'add', this.network)
    await ip('link', 'add', here, 'type', 'veth', 'peer', 'name', there, 'netns', this.network)
    await ip('address', 'add', `${HERE}/30`, 'dev', here)
    await ip('link', 'set', here, 'up')
    await ip('-netns', this.network, 'address', 'add', `${THERE}/30`, 'dev', there)
    for (const each of ['lo', there]) await ip('-netns', this.network, 'link', 'set', each, 'up')
  }

  private async run(): Promise<void> {
    const places = ['data-root', 'exec-root', 'pidfile'].map((name) => `--${name}=${join(this.folder, name)}`)
    const log = openSync(join(this.folder, 'log'), 'a')
    // It ends with this process, and takes its containers along.
    this.daemon = spawn(
      'setpriv',
      ['--pdeathsig', 'TERM', 'nsenter', `--net=/run/netns/${this.network}`, 'dockerd', '--host', this.dockerHost, ...places],
      { stdio: ['ignore', log, log] },
    )
    closeSync(log)
    const answers = async () => await succeeds('docker', ['--host', this.dockerHost, 'version'])
    const hasEnded = () => !this.daemon || !isRunning(this.daemon)
    await waitUntil(answers, { within: START_TIMEOUT_MS, what: 'the engine', stopOn: hasEnded }).catch((error: Error) => {
      throw new Error(`${error.message}\n${readFileSync(join(this.folder, 'log'), 'utf8').slice(-2_000)}`)
    })
  }

  private async end(signal: NodeJS.Signals): Promise<void> {
    const { daemon } = this
    if (!daemon || !isRunning(daemon)) return
    const ended = once(daemon, 'exit')
    daemon.kill(signal)
    await ended
    // Its own containerd goes with it, a moment later. An engine that still finds it waits for it in vain.
    const pid = readText(join(this.folder, 'exec-root', 'containerd', 'containerd.pid'))
    const isGone = () => pid === '' || !readText(`/proc/${pid}/comm`).startsWith('containerd')
    await waitUntil(isGone, { within: END_TIMEOUT_MS, what: 'the end of containerd' })
  }
}

function isRunning({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode === null && signalCode === null
}

function parentOf(pid: number): number {
  return Number(/^PPid:\s*(\d+)$/m.exec(readText(`/proc/${pid}/status`))?.[1])
}

/** What is mounted below a folder, the innermost first. */
function mountsIn(folder: string): string[] {
  const paths = readText('/proc/mounts')
    .split('\n')
    .map((line) => line.split(' ')[1] ?? '')
  return paths.filter((path) => path.startsWith(`${folder}/`)).reverse()
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8').trim()
  } catch {
    return ''
  }
}
