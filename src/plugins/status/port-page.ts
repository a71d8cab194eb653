import type { IncomingMessage } from 'node:http'
import type { ListenerFact } from '../../ports/shared/facts.ts'
import type { ProcessState } from '../../process/state.ts'
import { PORTS_HEADER } from '../../ports/header.ts'
import { AnnouncementError, readPort, takeAnnouncement, type Asker, type Unheeded } from './announcements.ts'
import { json, type Answer } from './server.ts'

// Tells a forwarder whether the listener wants PROXY headers; it follows from then on.
const MODE_HEADER = 'forwarder-proxy'

/**
 * `/listeners/<port>`: 200 when the port is listened on, 503 when not, so that a forwarder can take it for a health check without
 * connecting to the flow. What the query announces is taken in on the way. A forwarder that says by `proxy=v2` or `proxy=none` whether
 * it sends PROXY headers gets 503, too, where the listener wants it otherwise: bytes would be misread, or the device's address missed.
 */
export async function answerPort(
  request: IncomingMessage,
  url: URL,
  { facts, state }: { facts: () => Promise<ListenerFact[]>; state: ProcessState },
): Promise<Answer> {
  const text = url.pathname.slice('/listeners/'.length)
  const port = readPort(text)
  if (port === undefined) return json({ error: `${text.slice(0, 20)} is no port: allowed is a port number from 1 to 65535` }, 400)
  try {
    const unheeded = await takeAnnouncement(port, url.searchParams, { asker: askerOf(request), state })
    const found = (await facts()).filter((fact) => fact.port === port)
    const fact = found.find((one) => one.state === 'listening') ?? found[0] ?? { port, state: 'nothing' }
    const said = url.searchParams.get('proxy')
    const wanted = wantedMode(fact, { said, unheeded })
    const isFit = (said === null || said === wanted) && !unheeded?.isPassing
    const why = unheeded?.why ?? (isFit ? undefined : `this listener takes ${wanted === 'v2' ? 'PROXY headers' : 'no PROXY header'}`)
    const answer = json({ ...fact, ...(why === undefined ? {} : { ignored: why }) }, fact.state === 'listening' && isFit ? 200 : 503)
    return { ...answer, headers: { [MODE_HEADER]: wanted } }
  } catch (error) {
    if (error instanceof AnnouncementError) return json({ error: error.message }, 400)
    throw error
  }
}

/** Whose word is not taken must not send headers either. While nothing can be told, what a forwarder does is as good as anything. */
function wantedMode(
  fact: { state: string; proxy?: boolean },
  { said, unheeded }: { said: string | null; unheeded: Unheeded | undefined },
): 'v2' | 'none' {
  if (unheeded && !unheeded.isPassing) return 'none'
  const sends = fact.state === 'listening' && !unheeded ? fact.proxy === true : said !== 'none'
  return sends ? 'v2' : 'none'
}

function askerOf({ socket, headers }: IncomingMessage): Asker {
  return { address: socket.remoteAddress ?? '', isPart: PORTS_HEADER in headers }
}
