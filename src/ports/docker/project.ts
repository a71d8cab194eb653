import type { ContainerInspectInfo } from 'dockerode'
import type { Publication } from '../shared/facts.ts'
import { formatAddress, reachableAddress } from '../../text/address.ts'
import { ask, type Engine } from './docker.ts'
import { ProjectUnavailable, statusOf } from './errors.ts'
import { NODE_RED_SERVICE, PROJECT_LABEL, SERVICE_LABEL } from './labels.ts'

const STATUS_PORT = 1881
// Editor and status port are published beside the range, for themselves.
const OWN_PORTS = new Set([1880, STATUS_PORT])
const ANY_ADDRESS = '0.0.0.0'

/** A network that a container is attached to; `internal`: without a way out. */
export type Attachment = { id: string; name: string; address: string; internal: boolean }

/** Node-RED's container in a compose project, as Docker describes it. */
export type NodeRed = {
  project: string
  id: string
  name: string
  image: string
  running: boolean
  networks: Attachment[]
  /** On the host's own network: there is nothing to publish. */
  direct: boolean
  /** What the container itself publishes, editor and status port left out. */
  published: Publication[]
  /** The address of the host on which it does, which is that for forwarders too. */
  bind: string
  /** Where the host reaches the status port, such as `http://127.0.0.1:1881`; undefined when it is not published. */
  statusUrl: string | undefined
}

/**
 * Finds Node-RED's container of a compose project.
 * @throws ProjectUnavailable when there is none, naming the projects that have one
 */
export async function readNodeRed(engine: Engine, project: string): Promise<NodeRed> {
  const label = [`${PROJECT_LABEL}=${project}`, `${SERVICE_LABEL}=${NODE_RED_SERVICE}`]
  const found = await ask(engine, engine.calls.listContainers({ all: true, filters: { label } }))
  const chosen = found.find(({ State }) => State === 'running') ?? found[0]
  if (!chosen) throw new ProjectUnavailable(await describeMissing(engine, project))
  const inspected = await ask(engine, engine.calls.getContainer(chosen.Id).inspect()).catch((error: unknown) => {
    if (statusOf(error) === 404) throw new ProjectUnavailable(`Node-RED's container in the compose project "${project}" has just gone`)
    throw error
  })
  return describe(project, inspected, await attachments(engine, inspected))
}

/** @throws ProjectUnavailable when Node-RED's container does not run */
export function requireRunning(nodeRed: NodeRed): void {
  if (nodeRed.running) return
  throw new ProjectUnavailable(`Node-RED's container ${nodeRed.name} does not run: docker compose up --wait`)
}

/** The network over which forwarders reach Node-RED: one with a way out, since ports can only be published on such. */
export function forwarderNetwork({ project, networks }: NodeRed): Attachment | undefined {
  const candidates = networks.filter(({ internal }) => !internal)
  return candidates.find(({ name }) => name === `${project}_default`) ?? candidates[0]
}

async function describeMissing(engine: Engine, project: string): Promise<string> {
  const others = await ask(engine, engine.calls.listContainers({ all: true, filters: { label: [`${SERVICE_LABEL}=${NODE_RED_SERVICE}`] } }))
  const names = [...new Set(others.map(({ Labels }) => Labels[PROJECT_LABEL] ?? ''))].filter((name) => name !== '')
  const hint = names.length > 0 ? `; --project chooses another, there are: ${names.join(', ')}` : ''
  return `no Node-RED in the compose project "${project}": docker compose up --wait${hint}`
}

async function attachments(engine: Engine, { NetworkSettings }: ContainerInspectInfo): Promise<Attachment[]> {
  return await Promise.all(
    Object.entries(NetworkSettings.Networks).map(async ([name, { NetworkID, IPAddress }]) => {
      const network = (await ask(engine, engine.calls.getNetwork(NetworkID || name).inspect()).catch(() => ({}))) as {
        Internal?: boolean
      }
      return { id: NetworkID, name, address: IPAddress, internal: network.Internal === true }
    }),
  )
}

function describe(project: string, inspected: ContainerInspectInfo, networks: Attachment[]): NodeRed {
  const mappings = Object.entries(inspected.NetworkSettings.Ports ?? {}).flatMap(([key, bindings]) => {
    const [port, protocol] = key.split('/')
    if (protocol !== 'tcp') return []
    return (bindings ?? []).map(({ HostIp, HostPort }) => ({
      port: Number(port),
      address: HostIp || ANY_ADDRESS,
      hostPort: Number(HostPort),
    }))
  })
  const published = mappings.filter(({ port }) => !OWN_PORTS.has(port)).map((mapping) => ({ ...mapping, by: 'range' as const }))
  const status = mappings.find(({ port }) => port === STATUS_PORT)
  return {
    project,
    id: inspected.Id,
    name: inspected.Name.replace(/^\//, ''),
    image: inspected.Config.Image,
    running: inspected.State.Running,
    networks,
    direct: inspected.HostConfig.NetworkMode === 'host',
    published,
    bind: published[0]?.address ?? ANY_ADDRESS,
    statusUrl: inspected.HostConfig.NetworkMode === 'host' ? `http://127.0.0.1:${STATUS_PORT}` : status && urlOf(status),
  }
}

function urlOf({ address, hostPort }: { address: string; hostPort: number }): string {
  return `http://${formatAddress(reachableAddress(address), hostPort)}`
}
