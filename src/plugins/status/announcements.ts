import { isIP } from 'node:net'
import type { PublishFailure } from '../../ports/shared/facts.ts'
import { forwarderHostName } from '../../ports/forwarder-name.ts'
import { PORTS_HEADER } from '../../ports/header.ts'
import type { ProcessState } from '../../process/state.ts'
import { isForwarder } from './forwarders.ts'
import { readable } from './readable.ts'

const TRUSTED_MS = 30_000

/** The sender. `isPart`: it sent the header of this project's parts, which no web page can send. */
export type Asker = { address: string; isPart: boolean }

/** Why an announcement was ignored; `isPassing`: it may be accepted in a moment. */
export type Unheeded = { why: string; isPassing?: true }

/** The query of a request for a port is invalid. */
export class AnnouncementError extends Error {}

/**
 * Takes in what a forwarder or the watcher says of a port, by the query of the address that it asks for:
 * `?published=ADDRESS:HOSTPORT`, with `&proxy=` and whether it sends PROXY headers now, or
 * `?problem=HOST_PORT_TAKEN&hostPort=N&holder=TEXT`, or `?problem=REFUSED&detail=TEXT`.
 * @returns why it was ignored, if it was
 * @throws AnnouncementError
 */
export async function takeAnnouncement(
  port: number,
  query: URLSearchParams,
  { asker, state }: { asker: Asker; state: ProcessState },
): Promise<Unheeded | undefined> {
  const { engine, published } = state
  const way = query.get('published')
  const problem = query.get('problem')
  if (way === null && problem === null) return undefined
  const report = way === null ? readFailure(port, query) : readWay(way)
  if (!asker.isPart) return { why: `it comes without the header ${PORTS_HEADER}` }
  if (published.isDirect) return { why: 'nothing is in between: PUBLISHED_PORTS is not set' }
  if ('code' in report) {
    published.announceFailure(report)
    return undefined
  }
  const verdict = await isForwarder(port, asker.address)
  if (verdict === 'no') return { why: `${asker.address} is no container called ${forwarderHostName(port)} on a network of this one` }
  if (verdict === 'unknown') return { why: "Docker's name server does not answer", isPassing: true }
  published.announce({ port, ...report })
  // One that sends none yet will, when a listener wants them: until then its connections do not pass for those of devices.
  if (query.has('proxy') && published.isMapped) engine.relays.announce(port, asker.address, Date.now() + TRUSTED_MS)
  else engine.relays.forget(port, asker.address)
  return undefined
}

/** A port number from text. */
export function readPort(text: string | null): number | undefined {
  const port = /^\d{1,5}$/.test(text ?? '') ? Number(text) : 0
  return port >= 1 && port <= 65535 ? port : undefined
}

function readWay(way: string): { address: string; hostPort: number } {
  const [, bracketed, plain, digits = ''] = /^(?:\[([^\]]+)\]|([^[\]]+)):(\d+)$/.exec(way) ?? []
  const address = bracketed ?? plain ?? ''
  const hostPort = readPort(digits)
  if (isIP(address) === 0 || hostPort === undefined) {
    throw new AnnouncementError(`published=${readable(way)}: allowed is an IP address and a port, such as 0.0.0.0:15502`)
  }
  return { address, hostPort }
}

function readFailure(port: number, query: URLSearchParams): PublishFailure {
  const code = query.get('problem')
  const hostPort = readPort(query.get('hostPort') ?? String(port))
  if (code !== 'HOST_PORT_TAKEN' && code !== 'REFUSED') {
    throw new AnnouncementError(`problem=${readable(code ?? '')}: allowed is one of HOST_PORT_TAKEN, REFUSED`)
  }
  if (hostPort === undefined) throw new AnnouncementError('hostPort: allowed is a port number from 1 to 65535')
  const [holder, detail] = [readable(query.get('holder') ?? ''), readable(query.get('detail') ?? '')]
  return { port, hostPort, code, ...(holder ? { holder } : {}), ...(detail ? { detail } : {}) }
}
