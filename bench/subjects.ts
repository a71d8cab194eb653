import type { Launch } from './launch.ts'
import type { Place } from './place.ts'
import { answers, freePorts, isReadyAt, launchOfNodeRed, startServer, type Server } from './server.ts'
import type { Ports, Workload } from './workload.ts'

export const SUBJECTS = ['hardened', 'core', 'bare'] as const
export type SubjectName = (typeof SUBJECTS)[number]

export type Subject = Server & { ports: Ports }

/** Starts what serves a workload; resolves when it listens. */
export async function startSubject(
  name: SubjectName,
  { workload, place, signal }: { workload: Workload; place: Place; signal: AbortSignal },
): Promise<Subject> {
  const [inPort = 0, outPort = 0, editor = 0, status = 0] = await freePorts(4)
  const ports = { in: inPort, out: outPort }
  const launch = name === 'bare' ? launchOfBare(workload, ports) : launchOfNodeRed(name, { editor, status })
  Object.assign(launch.env, workload.env)
  const server = await startServer(launch, {
    what: `${name} for ${workload.name}`,
    flow: workload.flow(ports),
    isReady: () => (name === 'bare' ? answers(inPort) : isReadyAt(status)),
    place,
    signal,
  })
  return { ...server, ports }
}

function launchOfBare(workload: Workload, ports: Ports): Launch {
  return { script: 'bench/bare.ts', args: [workload.name, String(ports.in), String(ports.out)], env: {} }
}
