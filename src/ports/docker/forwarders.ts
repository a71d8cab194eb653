import type { ContainerCreateOptions, ContainerInfo } from 'dockerode'
import type { Publication } from '../shared/facts.ts'
import { forwarderHostName } from '../forwarder-name.ts'
import { formatAddress } from '../../text/address.ts'
import { ask, type Engine } from './docker.ts'
import { engineMessage, PublishError, statusOf } from './errors.ts'
import {
  forwarderName,
  formatLabels,
  isRetired,
  parseLabels,
  PORT_LABEL,
  PROJECT_LABEL,
  retiredName,
  type ForwarderSpec,
} from './labels.ts'
import { forwarderNetwork, type NodeRed } from './project.ts'

const MIB = 1024 * 1024
const MEMORY_BYTES = 64 * MIB
// A dead peer that is written to is found after about 50 s. HAProxy's tcp-ut would also cut off a live one that takes nothing for so long.
export const DEAD_PEERS = { 'net.ipv4.tcp_retries2': '7' }
const PIDS_LIMIT = 32
// Two for each of the relay's connections, and a few.
const OPEN_FILES = 8192
const LOWEST_UNPRIVILEGED_PORT = 1024
// What the engine says when a host port is taken by a container or by a process.
const PORT_TAKEN = /port is already allocated|address already in use|ports are not available|Only one usage of each socket address/i

/** A forwarder's container. `state` is Docker's: created, running, restarting, exited, paused, removing or dead. */
export type Forwarder = ForwarderSpec & { id: string; name: string; state: string; healthy: boolean | undefined; networks: string[] }

/** The relay's image belongs to Node-RED's: same name, another tag, as docker-compose.yml has it. */
export function relayImage({ image }: NodeRed): string {
  return `${image}-relay`
}

/** All forwarders of a compose project, whoever started them, by port. */
export async function listForwarders(engine: Engine, project: string): Promise<Forwarder[]> {
  const label = [`${PROJECT_LABEL}=${project}`, PORT_LABEL]
  const containers = await ask(engine, engine.calls.listContainers({ all: true, filters: { label } }))
  return containers.flatMap(describe).sort((a, b) => a.port - b.port)
}

/** Whether connections get as far as the relay. */
export function isUp({ state }: Forwarder): boolean {
  return state === 'running'
}

export function publicationOf({ port, bind, hostPort }: Forwarder): Publication {
  return { port, by: 'forwarder', address: bind, hostPort }
}

/**
 * Creates and starts a forwarder. One that is there already, started by somebody else meanwhile, is as good.
 * @throws PublishError when the host port is taken, or the engine refuses for another reason; nothing is left then
 */
export async function startForwarder(engine: Engine, nodeRed: NodeRed, spec: ForwarderSpec): Promise<void> {
  const container = await create(engine, nodeRed, spec)
  if (container) await start(engine, container.id)
}

/**
 * Puts a forwarder that a person wants in the place of another. It has the name before the other goes, which is what a watcher hears of:
 * otherwise the watcher would be there first, with one of its own.
 * @throws PublishError as {@link startForwarder} does
 */
export async function supersedeForwarder(
  engine: Engine,
  nodeRed: NodeRed,
  { old, spec }: { old: Forwarder; spec: ForwarderSpec },
): Promise<void> {
  await retire(engine, old)
  const container = await create(engine, nodeRed, spec).finally(() => removeForwarder(engine, old))
  if (container) await start(engine, container.id)
}

/** Starts a forwarder that has ended; removes it when that is impossible. @throws PublishError */
export async function restartForwarder(engine: Engine, { id }: Forwarder): Promise<void> {
  await start(engine, id)
}

/** Removes a forwarder and the connections through it. One that is gone already is fine. */
export async function removeForwarder(engine: Engine, { id }: { id: string }): Promise<void> {
  await ask(engine, engine.calls.getContainer(id).remove({ force: true, v: true })).catch((error: unknown) => {
    // 409: somebody else is removing it.
    if (statusOf(error) !== 404 && statusOf(error) !== 409) throw error
  })
}

/** Removes a forwarder for a person: a watcher does not bring it back. */
export async function retireForwarder(engine: Engine, { id }: { id: string }): Promise<void> {
  await retire(engine, { id })
  await removeForwarder(engine, { id })
}

async function retire(engine: Engine, { id }: { id: string }): Promise<void> {
  await ask(engine, engine.calls.getContainer(id).rename({ name: retiredName(id) })).catch((error: unknown) => {
    if (statusOf(error) !== 404 && statusOf(error) !== 409) throw error
  })
}

async function create(engine: Engine, nodeRed: NodeRed, spec: ForwarderSpec): Promise<{ id: string } | undefined> {
  const name = forwarderName(nodeRed.project, spec.port)
  return await ask(engine, engine.calls.createContainer(containerOptions(nodeRed, name, spec))).catch(async (error: unknown) => {
    if (statusOf(error) === 409) return await requireForwarder(engine, name)
    throw refused(error, nodeRed)
  })
}

async function start(engine: Engine, id: string): Promise<void> {
  await ask(engine, engine.calls.getContainer(id).start()).catch(async (error: unknown) => {
    // 304: it runs. And somebody else may have taken it away.
    if (statusOf(error) === 304 || (statusOf(error) === 404 && /no such container/i.test(engineMessage(error)))) return
    if (statusOf(error) === undefined) throw error
    await removeForwarder(engine, { id })
    throw PORT_TAKEN.test(engineMessage(error))
      ? new PublishError('HOST_PORT_TAKEN', engineMessage(error), { cause: error })
      : new PublishError('REFUSED', engineMessage(error), { cause: error })
  })
}

function refused(error: unknown, nodeRed: NodeRed): unknown {
  const message = engineMessage(error)
  if (statusOf(error) === 404 && /no such image/i.test(message))
    return new PublishError('REFUSED', `the relay's image ${relayImage(nodeRed)} is not there: docker compose build forwarder`)
  return statusOf(error) === undefined ? error : new PublishError('REFUSED', message, { cause: error })
}

/** Whoever has the name has to be a forwarder. It is started, and may not have been yet. */
async function requireForwarder(engine: Engine, name: string): Promise<{ id: string } | undefined> {
  const inspected = await ask(engine, engine.calls.getContainer(name).inspect()).catch((error: unknown) => {
    if (statusOf(error) === 404) return undefined
    throw error
  })
  if (!inspected) return undefined
  if (parseLabels(inspected.Config.Labels)) return { id: inspected.Id }
  throw new PublishError('REFUSED', `a container called ${name} is there that is no forwarder: docker rm --force ${name}`)
}

function containerOptions(nodeRed: NodeRed, name: string, spec: ForwarderSpec): ContainerCreateOptions {
  const { port, hostPort, bind } = spec
  const network = forwarderNetwork(nodeRed)
  if (!network) throw new PublishError('REFUSED', `${nodeRed.name} is on no network on which ports can be published`)
  return {
    name,
    Image: relayImage(nodeRed),
    Labels: formatLabels(nodeRed.project, spec),
    Env: [`RELAY_PORT=${port}`, `RELAY_PUBLISHED=${formatAddress(bind, hostPort)}`],
    ExposedPorts: { [`${port}/tcp`]: {} },
    NetworkingConfig: { EndpointsConfig: { [network.name]: { Aliases: [forwarderHostName(port)] } } },
    HostConfig: {
      NetworkMode: network.name,
      PortBindings: { [`${port}/tcp`]: [{ HostIp: bind, HostPort: String(hostPort) }] },
      RestartPolicy: { Name: 'unless-stopped' },
      ReadonlyRootfs: true,
      CapDrop: ['ALL'],
      SecurityOpt: ['no-new-privileges:true'],
      Memory: MEMORY_BYTES,
      MemorySwap: MEMORY_BYTES,
      PidsLimit: PIDS_LIMIT,
      Ulimits: [{ Name: 'nofile', Soft: OPEN_FILES, Hard: OPEN_FILES }],
      LogConfig: { Type: 'json-file', Config: { 'max-size': '1m', 'max-file': '2' } },
      Sysctls: {
        ...DEAD_PEERS,
        ...(port < LOWEST_UNPRIVILEGED_PORT ? { 'net.ipv4.ip_unprivileged_port_start': '0' } : {}),
      },
    },
  }
}

function describe({ Id, Names, Labels, State, Status, NetworkSettings }: ContainerInfo): Forwarder[] {
  const spec = parseLabels(Labels)
  const name = (Names[0] ?? Id).replace(/^\//, '')
  if (!spec || isRetired(name)) return []
  const health = /\((healthy|unhealthy)\)/.exec(Status)?.[1]
  return [
    {
      ...spec,
      id: Id,
      name,
      state: State,
      healthy: health === undefined ? undefined : health === 'healthy',
      networks: Object.values(NetworkSettings.Networks).map(({ NetworkID }) => NetworkID),
    },
  ]
}
