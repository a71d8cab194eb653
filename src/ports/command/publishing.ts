import { openEngine, type Engine } from '../docker/docker.ts'
import { ProjectUnavailable, PublishError } from '../docker/errors.ts'
import { isUp, listForwarders, retireForwarder, startForwarder, supersedeForwarder, type Forwarder } from '../docker/forwarders.ts'
import { findHolder } from '../docker/holders.ts'
import { readNodeRed, requireRunning, type NodeRed } from '../docker/project.ts'
import type { ForwarderSpec } from '../docker/labels.ts'
import { readSnapshot } from '../docker/status.ts'
import { statusUrlOf } from '../docker/survey.ts'
import { formatAddress } from '../../text/address.ts'
import type { Arguments } from './arguments.ts'

const MAX_TRIES = 3
// Compose takes containers of a service away that it does not count, and nothing but a watcher can know that they were wanted.
const HOW_LONG = 'it stays until unpublish or docker compose down; after docker compose up publish it again, unless watch runs, which does'

/** `publish PORT`; tells what has come of it, line by line. @throws PublishError naming who has the host port, and another one to take */
export async function publish(args: Arguments & { port: number }): Promise<string[]> {
  const engine = await openEngine()
  const nodeRed = await readNodeRed(engine, args.project)
  requireRunning(nodeRed)
  const { port } = args
  if (nodeRed.direct) return [`${port}: Node-RED is on the host's own network, there is nothing to publish`]
  const present = await findForwarder(engine, args)
  const { bind = present?.bind ?? nodeRed.bind, hostPort = present?.hostPort ?? port } = args
  const own = nodeRed.published.find((publication) => publication.port === port && publication.hostPort === hostPort)
  if (own && (args.bind === undefined || own.address === bind || own.address === '0.0.0.0'))
    return [`${port}: published on ${formatAddress(own.address, hostPort)} already, by the container itself`]
  if (present && isUp(present) && isAsWished(present, args))
    return [
      `${port}: published on ${formatAddress(present.bind, present.hostPort)} already${present.origin === 'watch' ? ', by watch: it closes with its flow' : ''}`,
    ]
  const isListened = await hasListener(nodeRed, args)
  const spec: ForwarderSpec = { port, hostPort, bind, origin: 'publish' }
  await replaceForwarder({ engine, nodeRed, present }, spec)
  const note = isListened ? '' : `; it works as soon as a flow listens on ${port}`
  return [`${port}: published on ${formatAddress(bind, hostPort)}${note}`, HOW_LONG]
}

async function findForwarder(engine: Engine, { project, port }: { project: string; port: number }): Promise<Forwarder | undefined> {
  return (await listForwarders(engine, project)).find((forwarder) => forwarder.port === port)
}

/** A watcher may be quicker, with a forwarder of its own. @throws PublishError */
async function replaceForwarder(
  { engine, nodeRed, present }: { engine: Engine; nodeRed: NodeRed; present: Forwarder | undefined },
  spec: ForwarderSpec,
): Promise<void> {
  let inTheWay = present
  for (let tries = 0; tries < MAX_TRIES; tries += 1) {
    const started = inTheWay ? supersedeForwarder(engine, nodeRed, { old: inTheWay, spec }) : startForwarder(engine, nodeRed, spec)
    await started.catch(async (error: unknown) => {
      throw await explain(engine, spec, error)
    })
    inTheWay = await findForwarder(engine, { project: nodeRed.project, port: spec.port })
    if (inTheWay?.origin === spec.origin && isAsWished(inTheWay, spec)) return
  }
  throw new PublishError('REFUSED', `${spec.port}: somebody else publishes it in another way again and again: does watch run with --bind?`)
}

/** `unpublish PORT`; that there is nothing to take away is fine. */
export async function unpublish(args: Arguments & { port: number }): Promise<string> {
  const engine = await openEngine()
  const { port, project } = args
  const forwarder = await findForwarder(engine, args)
  if (forwarder) {
    await retireForwarder(engine, forwarder)
    const note = forwarder.origin === 'watch' ? `; watch brings it back while a flow listens on it, unless it has --deny ${port}` : ''
    return `${port}: no longer published on ${formatAddress(forwarder.bind, forwarder.hostPort)}${note}`
  }
  const nodeRed = await readNodeRed(engine, project)
  const own = nodeRed.published.find((publication) => publication.port === port)
  if (own) return `${port}: no forwarder leads to it; the container itself publishes it, by TCP_PORTS in .env`
  return `${port}: no forwarder leads to it`
}

function isAsWished({ bind, hostPort }: Forwarder, wish: { bind: string | undefined; hostPort: number | undefined }): boolean {
  return (wish.bind === undefined || wish.bind === bind) && (wish.hostPort === undefined || wish.hostPort === hostPort)
}

/** Whether a flow listens on the port, as far as Node-RED can be asked from here. */
async function hasListener(nodeRed: NodeRed, { port, status }: Arguments): Promise<boolean> {
  try {
    const { listeners } = await readSnapshot(statusUrlOf(nodeRed, status))
    return listeners.some((listener) => listener.port === port && listener.state === 'listening')
  } catch (error) {
    if (error instanceof ProjectUnavailable) return false
    throw error
  }
}

async function explain(engine: Engine, { port, bind, hostPort }: ForwarderSpec, error: unknown): Promise<unknown> {
  if (!(error instanceof PublishError) || error.code !== 'HOST_PORT_TAKEN') return error
  const holder = (await findHolder(engine, { address: bind, hostPort })) ?? 'somebody else'
  const next = hostPort < 65_535 ? hostPort + 1 : hostPort - 1
  return new PublishError(
    'HOST_PORT_TAKEN',
    `port ${hostPort} of this machine is taken by ${holder}: npm run ports -- publish ${port} --host-port ${next}`,
    { cause: error },
  )
}
