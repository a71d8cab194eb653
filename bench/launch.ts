import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { docker, labelled, logsOf } from '../test/support/containers.ts'

/** A script of this repository, by its path in it. */
export type Launch = { script: string; args: string[]; env: Record<string, string> }

/** A script that runs, or has run. */
export type Running = {
  /** The number of its process, as this machine counts. */
  readPid: () => Promise<number>
  hasEnded: () => boolean
  readLog: () => Promise<string>
  stop: () => Promise<void>
}

const MAX_LOG_CHARS = 10_000
const home = dirname(import.meta.dirname)
const IMAGE_HOME = '/opt/node-red-tcp'

/** Runs a script by the Node.js that runs this one. `folder` has the flows and takes the data. */
export function launchProcess({ script, args, env }: Launch, { folder }: { folder: string }): Running {
  const child = spawn(process.execPath, [join(home, script), ...args], {
    env: {
      PATH: process.env.PATH,
      HOME: folder,
      NODE_ENV: 'production',
      DATA_DIR: join(folder, 'data'),
      FLOWS_DIR: join(folder, 'flows'),
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let log = ''
  const keep = (chunk: Buffer) => (log = (log + chunk.toString()).slice(-MAX_LOG_CHARS))
  child.stdout.on('data', keep)
  child.stderr.on('data', keep)
  const hasEnded = () => child.exitCode !== null || child.signalCode !== null
  return {
    readPid: () => Promise.resolve(child.pid!),
    hasEnded,
    readLog: () => Promise.resolve(log),
    async stop() {
      if (hasEnded()) return
      // Its data is thrown away: there is nothing to end in good order.
      child.kill('SIGKILL')
      await once(child, 'exit')
    },
  }
}

/** Runs a script in a container on the host's network, so that no port mapping is measured. */
export async function launchContainer(
  { script, args, env }: Launch,
  { folder, image }: { folder: string; image: string },
): Promise<Running> {
  // The image's user is another one.
  chmodSync(folder, 0o755)
  // The image has all but this folder, and starts Node-RED by itself.
  const inImage = !script.startsWith('bench/')
  const command = inImage ? [image, ...args] : ['--entrypoint', 'node', image, `${IMAGE_HOME}/${script}`, ...args]
  const id = await docker(
    ...['run', '--detach', ...labelled(), '--network', 'host', '--no-healthcheck'],
    ...Object.entries(env).flatMap(([name, value]) => ['--env', `${name}=${value}`]),
    ...['--volume', `${join(folder, 'flows')}:/flows:ro`],
    ...(inImage ? [] : ['--volume', `${import.meta.dirname}:${IMAGE_HOME}/bench:ro`]),
    ...command,
  )
  return {
    readPid: () => readContainerPid(id),
    // Told by the time limit of whoever waits.
    hasEnded: () => false,
    readLog: () => logsOf(id),
    stop: async () => void (await docker('rm', '--force', '--volumes', id)),
  }
}

/** The process that has no children: tini, where it is there, is the parent. */
async function readContainerPid(id: string): Promise<number> {
  const [, ...rows] = (await docker('top', id, '-o', 'pid,ppid')).split('\n')
  const processes = rows.map((row) => row.trim().split(/\s+/).map(Number) as [number, number])
  const found = processes.filter(([pid]) => !processes.some(([, parent]) => parent === pid))
  if (found.length !== 1) throw new Error(`${found.length} processes without children in container ${id}, expected 1: ${rows.join('; ')}`)
  return found[0]![0]
}
