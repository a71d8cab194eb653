import { once } from 'node:events'
import type { Readable } from 'node:stream'
import { openEngine, type Engine } from '../../src/ports/docker/docker.ts'
import { followSnapshots } from '../../src/ports/docker/status.ts'
import { echoes, silence } from '../../test/ports/support/flows.ts'
import { freePorts, reach, refused, type PortsProject } from '../../test/ports/support/project.ts'

const DEPLOYS = 20
const START_TIMEOUT_MS = 60_000
const POLL_MS = 5
// What is sent in the moment in which a container gets its network is lost, and TCP sends it again after a second: who asks anew is faster.
const ATTEMPT_MS = 50

/** One deploy, in milliseconds from the moment that the flow is sent. `closed` counts from the deploy that deletes it. */
export type DeployTimes = { listening: number; started: number; firstByte: number; closed: number }

/** Deploys a listener on a port that nothing publishes, 20 times, and takes it away again each time. `watch` has to run. */
export async function measureDeploys(project: PortsProject, { signal }: { signal: AbortSignal }): Promise<DeployTimes[]> {
  const engine = await openEngine()
  const times: DeployTimes[] = []
  for (const port of await freePorts(DEPLOYS)) {
    signal.throwIfAborted()
    times.push(await measureDeploy(engine, project, port))
  }
  return times
}

async function measureDeploy(engine: Engine, project: PortsProject, port: number): Promise<DeployTimes> {
  const ended = new AbortController()
  try {
    const listening = waitForListener(project.statusUrl, { port, signal: ended.signal })
    const started = waitForContainer(engine, `${project.name}-port-${port}`)
    const from = performance.now()
    const [, listeningAt, startedAt, { client, at }] = await Promise.all([
      project.deploy(echoes([port])),
      listening,
      started,
      reach(port, { pollMs: POLL_MS, attemptMs: ATTEMPT_MS }).then(({ client }) => ({ client, at: performance.now() })),
    ])
    await client[Symbol.asyncDispose]()
    const deletedAt = performance.now()
    const [closedAt] = await Promise.all([refused(port, { pollMs: POLL_MS }).then(() => performance.now()), project.deploy(silence())])
    return { listening: listeningAt - from, started: startedAt - from, firstByte: at - from, closed: closedAt - deletedAt }
  } finally {
    ended.abort()
  }
}

/** When Node-RED says that it listens, as watch hears it too. */
async function waitForListener(url: string, { port, signal }: { port: number; signal: AbortSignal }): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>()
  followSnapshots(url, {
    signal,
    onSnapshot({ listeners }) {
      if (listeners.some((listener) => listener.port === port && listener.state === 'listening')) resolve(performance.now())
    },
  }).catch(reject)
  return await promise
}

/** When the engine says that the forwarder has started. */
async function waitForContainer(engine: Engine, name: string): Promise<number> {
  const events = (await engine.streams.getEvents({ filters: { container: [name], event: ['start'] } })) as Readable
  try {
    await once(events, 'data', { signal: AbortSignal.timeout(START_TIMEOUT_MS) })
    return performance.now()
  } finally {
    events.destroy()
  }
}
