// Follows a byte step by step and reports where it gets stuck.
import type { ListenerFact, Publication } from '../shared/facts.ts'
import { formatAddress, isLoopback } from '../../text/address.ts'
import type { Engine } from './docker.ts'
import { isUp, listForwarders, publicationOf, type Forwarder } from './forwarders.ts'
import type { NodeRed } from './project.ts'
import { openProbe, type Probe } from './probe.ts'
import { readSessions, readSnapshot, type SessionFact } from './status.ts'

const SEEN_TIMEOUT_MS = 2_000
const SEEN_POLL_MS = 100

export const STEPS = ['host port', 'relay', 'container', 'listener', 'connection', 'reply'] as const
export type StepName = (typeof STEPS)[number]

/** One step of the way. `skipped`: not on this way, not asked for, or not reached. */
export type Step = { step: StepName; state: 'ok' | 'stuck' | 'skipped'; text: string; fix?: string }

export type CheckOptions = {
  port: number
  statusUrl: string | undefined
  /** What to send; undefined: nothing. */
  send: Buffer | undefined
  /** What the answer must contain; undefined: anything. */
  expect: Buffer | undefined
  /** How long to wait for the answer, in milliseconds. */
  timeoutMs: number
}

type Result = { text: string } | { text: string; fix: string } | { text: string; skipped: true }

/** Walks the way of a byte to a port until it is stuck. Steps not reached are reported as skipped. */
export async function checkPort(engine: Engine, nodeRed: NodeRed, options: CheckOptions): Promise<Step[]> {
  const way = await findWay(engine, nodeRed, options.port)
  const steps: Step[] = []
  let probe: Probe | undefined
  let before: SessionFact[] = []
  const walk: Record<StepName, () => Promise<Result>> = {
    'host port': async () => {
      before = await sessionsOf(options)
      probe = way.publication && (await openProbe(way.publication))
      return describeHostPort(way, options.port, probe)
    },
    relay: async () => describeRelay(way.forwarder, await askListener(options)),
    container: () => Promise.resolve(describeContainer(nodeRed, way.forwarder)),
    listener: async () => await askListener(options),
    connection: async () => describeConnection(await waitForSession(options, before), way, probe),
    reply: async () => await describeReply(probe!, options),
  }
  try {
    for (const step of STEPS) {
      const stuck = steps.find(({ state }) => state === 'stuck')
      steps.push(stuck ? { step, state: 'skipped', text: `not reached` } : toStep(step, await walk[step]()))
    }
  } finally {
    probe?.close()
  }
  return steps
}

function toStep(step: StepName, result: Result): Step {
  if ('fix' in result) return { step, state: 'stuck', ...result }
  return { step, state: 'skipped' in result ? 'skipped' : 'ok', text: result.text }
}

type Way = { publication: Publication | undefined; forwarder: Forwarder | undefined }

async function findWay(engine: Engine, nodeRed: NodeRed, port: number): Promise<Way> {
  if (nodeRed.direct) return { publication: { port, by: 'range', address: '127.0.0.1', hostPort: port }, forwarder: undefined }
  const forwarder = (await listForwarders(engine, nodeRed.project)).find((candidate) => candidate.port === port)
  if (forwarder) return { publication: publicationOf(forwarder), forwarder }
  return { publication: nodeRed.published.find((publication) => publication.port === port), forwarder: undefined }
}

function describeHostPort({ publication, forwarder }: Way, port: number, probe: Probe | undefined): Result {
  if (!publication) return { text: `${port} is not published`, fix: `npm run ports -- publish ${port}` }
  const place = formatAddress(publication.address, publication.hostPort)
  if (probe?.connected)
    return { text: `${place} of this host accepts (${forwarder ? `forwarder ${forwarder.name}` : 'published by the container itself'})` }
  const fix = forwarder ? `npm run ports -- publish ${port}` : 'docker compose up --wait'
  return { text: `${place} of this host refuses: ${probe?.error ?? ''}`, fix }
}

/** A relay without a listener behind it is not healthy either: that is the listener's fault. */
function describeRelay(forwarder: Forwarder | undefined, listener: Result): Result {
  if (!forwarder) return { text: 'none on this way', skipped: true }
  if (!isUp(forwarder)) return { text: `${forwarder.name} is ${forwarder.state}`, fix: `npm run ports -- publish ${forwarder.port}` }
  if (forwarder.healthy === false && !('fix' in listener))
    return { text: `${forwarder.name} runs and does not get through to Node-RED`, fix: `docker logs ${forwarder.name}` }
  return {
    text: `${forwarder.name} ${forwarder.healthy ? 'is healthy' : 'runs'}`,
  }
}

function describeContainer({ name, running, networks, direct }: NodeRed, forwarder: Forwarder | undefined): Result {
  if (!running) return { text: `${name} does not run`, fix: 'docker compose up --wait' }
  if (direct) return { text: `${name} runs on the host's network` }
  const attached = networks.map(({ name: network, address }) => `${network} ${address}`).join(', ')
  if (forwarder && !networks.some(({ id }) => forwarder.networks.includes(id)))
    return { text: `${name} is not on the relay's network; it is on ${attached}`, fix: `npm run ports -- publish ${forwarder.port}` }
  return { text: `${name} runs, on ${attached}` }
}

async function askListener(options: CheckOptions): Promise<Result> {
  const { statusUrl, port } = options
  if (statusUrl === undefined) return { text: 'the status port 1881 is not published', fix: '--status URL says where it is' }
  try {
    const { listeners } = await readSnapshot(statusUrl)
    return describeListener(
      options,
      listeners.find((listener) => listener.port === port),
    )
  } catch (error) {
    return { text: (error as Error).message, fix: 'docker compose logs node-red' }
  }
}

function describeListener({ port }: CheckOptions, listener: ListenerFact | undefined): Result {
  if (!listener) return { text: `nothing in the flows listens on ${port}`, fix: `deploy a tcp in node that listens on ${port}` }
  const node = listener.declaredBy[0]
  const who = node ? `${node.type} "${node.name || node.node}" on "${node.flow}"` : `a node of role ${listener.role}`
  if (listener.state === 'failed')
    return { text: `${who} cannot listen: ${listener.error?.message ?? ''}`, fix: `change port or address of ${who}` }
  if (isLoopback(listener.address))
    return { text: `${who} listens on ${listener.address} only, inside of the container`, fix: `clear the bind address of ${who}` }
  return { text: `${who} listens on ${formatAddress(listener.address ?? '', port)}` }
}

async function sessionsOf({ statusUrl, port }: CheckOptions): Promise<SessionFact[]> {
  if (statusUrl === undefined) return []
  const sessions = await readSessions(statusUrl).catch(() => [])
  return sessions.filter(({ direction, localPort }) => direction === 'in' && localPort === port)
}

async function waitForSession(options: CheckOptions, before: readonly SessionFact[]): Promise<SessionFact | undefined> {
  const known = new Set(before.map(({ id }) => id))
  const deadline = Date.now() + SEEN_TIMEOUT_MS
  for (;;) {
    const found = (await sessionsOf(options)).find(({ id }) => !known.has(id))
    if (found || Date.now() > deadline) return found
    await new Promise((resolve) => setTimeout(resolve, SEEN_POLL_MS))
  }
}

function describeConnection(session: SessionFact | undefined, { forwarder }: Way, probe: Probe | undefined): Result {
  if (session)
    return {
      text: `Node-RED sees it, from ${formatAddress(session.ip ?? session.remoteAddress ?? '?', session.port ?? session.remotePort ?? 0)}`,
    }
  const ended = probe?.ended ? ', and it was closed' : ''
  return {
    text: `Node-RED does not see it${ended}: it was refused, by a limit or a list of addresses, or got lost on the way`,
    fix: `docker compose logs node-red${forwarder ? `; docker logs ${forwarder.name}` : ''}`,
  }
}

async function describeReply(probe: Probe, { send, expect, timeoutMs, port }: CheckOptions): Promise<Result> {
  if (!send && !expect) return { text: 'not asked for: --send TEXT, --expect TEXT', skipped: true }
  if (send) probe.send(send)
  const answer = await probe.read({ until: expect, timeoutMs })
  const shown = JSON.stringify(answer.toString('latin1').slice(0, 200))
  if (expect ? answer.includes(expect) : answer.length > 0) return { text: `${answer.length} bytes came back: ${shown}` }
  const text = answer.length === 0 ? `nothing came back within ${timeoutMs / 1000} s` : `what came back is not what is expected: ${shown}`
  return { text, fix: `look at the flow behind ${port}: the bytes arrive there; does it wait for the end of a line (--send 'TEXT\\n')?` }
}
