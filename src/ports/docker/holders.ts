// Who holds a port of this host: a container that publishes it, or a process that listens on it.
import { collides, findListeningProcess, type HostPlace } from '../processes.ts'
import { ask, type Engine } from './docker.ts'

/**
 * Who holds a port of the host, in words: `container web-1`, `process nginx (pid 812)`, or `another process` when it belongs to
 * somebody else. Undefined: nobody, or it cannot be known from here. Containers whose ids are `except`ed do not count.
 */
export async function findHolder(engine: Engine, place: HostPlace, except: ReadonlySet<string> = new Set()): Promise<string | undefined> {
  const containers = await ask(engine, engine.calls.listContainers())
  for (const { Id, Names, Ports } of containers) {
    const holds = Ports.some(
      ({ IP, PublicPort, Type }) => Type === 'tcp' && PublicPort === place.hostPort && collides(IP ?? '', place.address),
    )
    if (!holds) continue
    if (except.has(Id)) return undefined
    return `container ${(Names[0] ?? Id).replace(/^\//, '')}`
  }
  return engine.isHere && process.platform === 'linux' ? findListeningProcess(place) : undefined
}
