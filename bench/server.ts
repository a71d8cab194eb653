import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { freePort } from '../src/testing/free-port.ts'
import { waitUntil } from '../src/testing/wait.ts'
import { launchContainer, launchProcess, type Launch, type Running } from './launch.ts'
import { open } from './clients.ts'
import type { Place } from './place.ts'

/** A server that runs, as a process of its own. */
export type Server = { pid: number; stop: () => Promise<void> }

type StartOptions = {
  what: string
  /** The flows of a Node-RED. */
  flow: object[]
  isReady: () => boolean | Promise<boolean>
  place: Place
  signal: AbortSignal
}

export const PASSWORD = 'bench'

const STARTUP_TIMEOUT_MS = 60_000
const home = dirname(import.meta.dirname)

/** Starts a script as a container or as a process; resolves when it is ready. */
export async function startServer(launch: Launch, { what, flow, isReady, place, signal }: StartOptions): Promise<Server> {
  const folder = mkdtempSync(join(tmpdir(), 'node-red-tcp-bench-'))
  writeFlows(join(folder, 'flows'), flow)
  let running: Running | undefined
  const stop = async () => {
    await running?.stop()
    rmSync(folder, { recursive: true, force: true })
  }
  try {
    running = place.kind === 'container' ? await launchContainer(launch, { folder, image: place.image }) : launchProcess(launch, { folder })
    await waitUntil(isReady, { within: STARTUP_TIMEOUT_MS, what, stopOn: () => signal.aborted || running?.hasEnded() === true })
    return { pid: await running.readPid(), stop }
  } catch (cause) {
    const log = await running?.readLog()
    await stop()
    throw new Error(`${(cause as Error).message}${log ? `\n${log}` : ''}`, { cause })
  }
}

/** The distribution with our nodes or Node-RED's own. */
export function launchOfNodeRed(nodes: 'hardened' | 'core', { editor, status }: { editor: number; status: number }): Launch {
  const env = {
    TCP_NODES: nodes,
    EDITOR_BIND: '127.0.0.1',
    EDITOR_PORT: String(editor),
    STATUS_BIND: '127.0.0.1',
    STATUS_PORT: String(status),
    NODE_RED_ADMIN_PASSWORD: PASSWORD,
    // Node-RED's own nodes log every connection at the level info, which would be measured too.
    LOG_LEVEL: 'warn',
  }
  return { script: 'dist/src/runtime/main.js', args: [], env }
}

export async function isReadyAt(status: number): Promise<boolean> {
  return (await fetch(`http://127.0.0.1:${status}/readyz`)).ok
}

/** Whether a port takes a connection. */
export async function answers(port: number): Promise<boolean> {
  const socket = await open(port, { onError: () => {} })
  socket.destroy()
  return true
}

/** As many ports that nobody listens on, all different. */
export async function freePorts(count: number): Promise<number[]> {
  const ports = new Set<number>()
  while (ports.size < count) ports.add(await freePort())
  return [...ports]
}

/** The flow to measure, and nothing in place of the scenarios that the distribution brings. */
function writeFlows(folder: string, flow: object[]): void {
  mkdirSync(folder)
  for (const file of readdirSync(join(home, 'flows'))) if (file.endsWith('.json')) writeFileSync(join(folder, file), '[]')
  writeFileSync(join(folder, 'bench.json'), JSON.stringify(flow))
}
