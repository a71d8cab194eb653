import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { freePort } from '../test/support/free-port.ts'
import { waitUntil } from '../test/support/wait.ts'
import { launchContainer, launchProcess, type Launch, type Running } from './launch.ts'
import { open } from './clients.ts'
import type { Place } from './place.ts'
import type { Ports, Workload } from './workload.ts'

export const SUBJECTS = ['hardened', 'core', 'bare'] as const
export type SubjectName = (typeof SUBJECTS)[number]

/** A server that runs, as a process of its own. */
export type Subject = { ports: Ports; pid: number; stop: () => Promise<void> }

const STARTUP_TIMEOUT_MS = 60_000
const home = dirname(import.meta.dirname)

/** Starts what serves a workload; resolves when it listens. */
export async function startSubject(
  name: SubjectName,
  { workload, place, signal }: { workload: Workload; place: Place; signal: AbortSignal },
): Promise<Subject> {
  const [inPort, outPort, editor, status] = await freePorts()
  const ports = { in: inPort, out: outPort }
  const folder = mkdtempSync(join(tmpdir(), 'node-red-tcp-bench-'))
  const launch = name === 'bare' ? launchOfBare(workload, ports) : launchOfNodeRed(name, { editor, status })
  writeFlows(join(folder, 'flows'), workload.flow(ports))
  let running: Running | undefined
  const stop = async () => {
    await running?.stop()
    rmSync(folder, { recursive: true, force: true })
  }
  try {
    Object.assign(launch.env, workload.env)
    running = place.kind === 'container' ? await launchContainer(launch, { folder, image: place.image }) : launchProcess(launch, { folder })
    const isReady = name === 'bare' ? () => answers(inPort) : async () => (await fetch(`http://127.0.0.1:${status}/readyz`)).ok
    await waitUntil(isReady, {
      within: STARTUP_TIMEOUT_MS,
      what: `${name} for ${workload.name}`,
      stopOn: () => signal.aborted || running?.hasEnded() === true,
    })
    return { ports, pid: await running.readPid(), stop }
  } catch (cause) {
    const log = await running?.readLog()
    await stop()
    throw new Error(`${(cause as Error).message}${log ? `\n${log}` : ''}`, { cause })
  }
}

function launchOfBare(workload: Workload, ports: Ports): Launch {
  return { script: 'bench/bare.ts', args: [workload.name, String(ports.in), String(ports.out)], env: {} }
}

function launchOfNodeRed(nodes: 'hardened' | 'core', { editor, status }: { editor: number; status: number }): Launch {
  const env = {
    TCP_NODES: nodes,
    EDITOR_BIND: '127.0.0.1',
    EDITOR_PORT: String(editor),
    STATUS_BIND: '127.0.0.1',
    STATUS_PORT: String(status),
    NODE_RED_ADMIN_PASSWORD: 'bench',
    // Node-RED's own nodes log every connection at the level info, which would be measured too.
    LOG_LEVEL: 'warn',
  }
  return { script: 'dist/runtime/main.js', args: [], env }
}

/** The flow to measure, and nothing in place of the scenarios that the distribution brings. */
function writeFlows(folder: string, flow: object[]): void {
  mkdirSync(folder)
  for (const file of readdirSync(join(home, 'flows'))) if (file.endsWith('.json')) writeFileSync(join(folder, file), '[]')
  writeFileSync(join(folder, 'bench.json'), JSON.stringify(flow))
}

async function answers(port: number): Promise<boolean> {
  const socket = await open(port, { onError: () => {} })
  socket.destroy()
  return true
}

async function freePorts(): Promise<[number, number, number, number]> {
  const ports = new Set<number>()
  while (ports.size < 4) ports.add(await freePort())
  return [...ports] as [number, number, number, number]
}
