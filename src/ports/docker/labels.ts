// What containers are called and labelled. By compose's own labels `docker compose down` takes forwarders away with the project.

import { forwarderNameEnd } from '../forwarder-name.ts'
import { isPort } from './snapshot.ts'

/** The services of docker-compose.yml. */
export const NODE_RED_SERVICE = 'node-red'
export const FORWARDER_SERVICE = 'forwarder'

export const PROJECT_LABEL = 'com.docker.compose.project'
export const SERVICE_LABEL = 'com.docker.compose.service'
const ONE_OFF_LABEL = 'com.docker.compose.oneoff'
const NUMBER_LABEL = 'com.docker.compose.container-number'
const HASH_LABEL = 'com.docker.compose.config-hash'

export const PORT_LABEL = 'node-red-tcp.port'
const HOST_PORT_LABEL = 'node-red-tcp.host-port'
const BIND_LABEL = 'node-red-tcp.bind'
const ORIGIN_LABEL = 'node-red-tcp.origin'
const RETIRED_PREFIX = 'retired-forwarder-'

/** Who has started a forwarder: `watch` takes its own away again, what a person has published stays. */
export type Origin = 'watch' | 'publish'

/** One port to forward: `hostPort` at address `bind` of the host leads to `port` of Node-RED. */
export type ForwarderSpec = { port: number; hostPort: number; bind: string; origin: Origin }

/** The same for everyone who wants this port, so that nobody can start it twice. */
export function forwarderName(project: string, port: number): string {
  return `${project}${forwarderNameEnd(port)}`
}

/** What a forwarder is called when a person has it taken away, so that a watcher does not take it for an accident. */
export function retiredName(id: string): string {
  return `${RETIRED_PREFIX}${id.slice(0, 12)}`
}

/** Whether a container has such a name. */
export function isRetired(name: string): boolean {
  return name.startsWith(RETIRED_PREFIX)
}

/** Labels of a forwarder's container; {@link parseLabels} reads them. */
export function formatLabels(project: string, { port, hostPort, bind, origin }: ForwarderSpec): Record<string, string> {
  return {
    [PROJECT_LABEL]: project,
    [SERVICE_LABEL]: FORWARDER_SERVICE,
    // Compose leaves one-off containers behind at `down`.
    [ONE_OFF_LABEL]: 'False',
    [NUMBER_LABEL]: String(port),
    // Compose sees only containers that have one.
    [HASH_LABEL]: 'node-red-tcp',
    [PORT_LABEL]: String(port),
    [HOST_PORT_LABEL]: String(hostPort),
    [BIND_LABEL]: bind,
    [ORIGIN_LABEL]: origin,
  }
}

/** What the labels of a container say; undefined when it is no forwarder. */
export function parseLabels(labels: Record<string, string>): ForwarderSpec | undefined {
  const [port, hostPort] = [Number(labels[PORT_LABEL]), Number(labels[HOST_PORT_LABEL])]
  if (!isPort(port) || !isPort(hostPort)) return undefined
  const [bind, origin] = [labels[BIND_LABEL], labels[ORIGIN_LABEL]]
  return {
    port,
    hostPort,
    bind: bind ?? '0.0.0.0',
    origin: origin === 'watch' ? 'watch' : 'publish',
  }
}
