import { hostname } from 'node:os'
import Docker from 'dockerode'
import { DockerUnavailable, explainUnreachable } from './errors.ts'

const OLDEST_API = { major: 1, minor: 41 }
const ANSWER_TIMEOUT_MS = 10_000
// Starting a container waits for the engine's locks when many start at once.
const CALL_TIMEOUT_MS = 60_000

/**
 * A Docker engine that answers. `calls` gives up when it hangs, `streams` does not: events may be far apart. `isHere`: it runs on the
 * machine that this process sees, which is not so in a container or for an engine elsewhere.
 */
export type Engine = { calls: Docker; streams: Docker; where: string; isHere: boolean }

/**
 * Opens the engine that `DOCKER_HOST` names, else the local one.
 * @throws DockerUnavailable with what helps: not there, not allowed, not answering, too old
 */
export async function openEngine(): Promise<Engine> {
  const where = process.env.DOCKER_HOST || '/var/run/docker.sock'
  try {
    const asked = new Docker({ timeout: ANSWER_TIMEOUT_MS })
    const { ApiVersion } = await asked.version()
    requireApi(ApiVersion)
    const { Name } = (await asked.info()) as { Name?: string }
    return { calls: new Docker({ timeout: CALL_TIMEOUT_MS }), streams: new Docker(), where, isHere: Name === hostname() }
  } catch (error) {
    throw explainUnreachable(error, where)
  }
}

/** @throws DockerUnavailable when the engine's API is older than what is used here */
export function requireApi(version: string): void {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  if (major > OLDEST_API.major || (major === OLDEST_API.major && minor >= OLDEST_API.minor)) return
  throw new DockerUnavailable(
    `the Docker engine's API is ${version}; at least ${OLDEST_API.major}.${OLDEST_API.minor} is needed: update to Docker Engine 20.10 or later`,
  )
}

/** Calls the engine; when it cannot be reached, the error says what helps. */
export async function ask<T>({ where }: Engine, call: Promise<T>): Promise<T> {
  return call.catch((error: unknown) => {
    throw explainUnreachable(error, where)
  })
}
