// Carries out what reconcile decides, and remembers what failed.
import type { PublishFailure } from '../shared/facts.ts'
import { formatAddress } from '../../text/address.ts'
import { createFailedPorts } from './backoff.ts'
import type { Engine } from './docker.ts'
import { PublishError } from './errors.ts'
import { removeForwarder, restartForwarder, startForwarder } from './forwarders.ts'
import { findHolder } from './holders.ts'
import type { ForwarderSpec } from './labels.ts'
import type { NodeRed } from './project.ts'
import type { Action, Denial } from './reconcile.ts'
import { reportFailure } from './status.ts'

// The engine takes one start after the other where it matters; more at once only wait there.
const AT_ONCE = 4

type Surroundings = { engine: Engine; nodeRed: NodeRed; statusUrl: string | undefined }

/** Publishes ports and takes them away. One that fails does not keep the others from it; it is tried again later, at most every 10 s. */
export function createPublisher(log: (message: string) => void) {
  const failed = createFailedPorts()

  async function perform({ engine, nodeRed }: Surroundings, action: Action): Promise<void> {
    const started = performance.now()
    switch (action.kind) {
      case 'remove':
        await removeForwarder(engine, action.forwarder)
        return log(`${action.forwarder.port}: closed, nobody listens on it any more`)
      case 'start':
        await restartForwarder(engine, action.forwarder)
        return log(`${action.forwarder.port}: its forwarder had ended and is started again`)
      case 'replace':
      case 'create':
        if (action.kind === 'replace') await removeForwarder(engine, action.forwarder)
        await startForwarder(engine, nodeRed, action.spec)
        return log(`${describe(action.spec)}, in ${Math.round(performance.now() - started)} ms`)
    }
  }

  async function attempt(surroundings: Surroundings, action: Action): Promise<void> {
    if (action.kind === 'remove') return await perform(surroundings, action)
    const { port, hostPort, bind } = action.kind === 'start' ? action.forwarder : action.spec
    if (!failed.isDue(port)) return
    try {
      // Asked before the next try, so that a container is not made in vain every few seconds.
      if (failed.has(port)) await requireFree(surroundings.engine, { address: bind, hostPort })
      await perform(surroundings, action)
      failed.forget(port)
    } catch (error) {
      if (!(error instanceof PublishError)) throw error
      await fail(surroundings, { action: { port, hostPort, bind }, error })
    }
  }

  async function fail(
    { engine, statusUrl }: Surroundings,
    { action: { port, hostPort, bind }, error }: { action: { port: number; hostPort: number; bind: string }; error: PublishError },
  ): Promise<void> {
    const holder = error.code === 'HOST_PORT_TAKEN' ? await findHolder(engine, { address: bind, hostPort }) : undefined
    const failure: PublishFailure = {
      port,
      hostPort,
      code: error.code,
      ...(holder === undefined ? {} : { holder }),
      ...(error.code === 'REFUSED' ? { detail: error.message } : {}),
    }
    const isNew = failed.note(failure)
    if (isNew)
      log(
        `${port}: not published, ${error.code === 'REFUSED' ? error.message : `port ${hostPort} of the host is taken by ${holder ?? 'somebody else'}`}; it is tried again`,
      )
    await report(statusUrl, failure)
  }

  return {
    failed,

    /** Does all that is to be done, and tells Node-RED what may not or could not be. Throws only when Docker itself is of no use. */
    async apply(surroundings: Surroundings, { actions, denials }: { actions: Action[]; denials: Denial[] }): Promise<void> {
      const wanted = new Set([
        ...actions.flatMap((action) =>
          action.kind === 'remove' ? [] : [action.kind === 'start' ? action.forwarder.port : action.spec.port],
        ),
      ])
      failed.keepOnly(wanted)
      // Closing is quick, and what is opened does not wait for it.
      const closingFirst = actions.toSorted((a, b) => Number(b.kind === 'remove') - Number(a.kind === 'remove'))
      await inParallel(closingFirst, (action) => attempt(surroundings, action))
      for (const { port, hostPort, detail } of denials) await report(surroundings.statusUrl, { port, hostPort, code: 'REFUSED', detail })
    },
  }
}

async function requireFree(engine: Engine, place: { address: string; hostPort: number }): Promise<void> {
  const holder = await findHolder(engine, place)
  if (holder !== undefined) throw new PublishError('HOST_PORT_TAKEN', holder)
}

/** If this fails, only the editor misses it, and the next attempt reports again. */
async function report(statusUrl: string | undefined, failure: PublishFailure): Promise<void> {
  if (statusUrl !== undefined) await reportFailure(statusUrl, failure).catch(() => {})
}

function describe({ port, hostPort, bind }: ForwarderSpec): string {
  return `${port}: published on ${formatAddress(bind, hostPort)}`
}

async function inParallel<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const queue = [...items]
  const worker = async () => {
    for (let item = queue.shift(); item !== undefined; item = queue.shift()) await work(item)
  }
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, items.length) }, worker))
}
