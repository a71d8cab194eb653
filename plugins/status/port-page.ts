import type { IncomingMessage } from 'node:http'
import type { ListenerFact } from '../../ports/facts.ts'
import { AnnouncementError, readPort, takeAnnouncement, type Asker } from './announcements.ts'
import { json, type Answer } from './server.ts'

/**
 * `/listeners/<port>`: 200 when the port is listened on, 503 when not, so that a forwarder can take it for a health check without
 * connecting to the flow. What the query announces is taken in on the way.
 */
export function answerPort(request: IncomingMessage, url: URL, facts: () => ListenerFact[]): Answer {
  const text = url.pathname.slice('/listeners/'.length)
  const port = readPort(text)
  if (port === undefined) return json({ error: `${text.slice(0, 20)} is no port: allowed is a port number from 1 to 65535` }, 400)
  try {
    const ignored = takeAnnouncement(port, url.searchParams, askerOf(request))
    const found = facts().filter((fact) => fact.port === port)
    const fact = found.find(({ state }) => state === 'listening') ?? found[0] ?? { port, state: 'nothing' }
    // Bytes that the listener would take for a device's must not come.
    const isMisread = url.searchParams.get('proxy') === 'v2' && !('proxy' in fact && fact.proxy)
    const why = isMisread ? 'this listener takes no PROXY header' : ignored
    const status = fact.state === 'listening' && !isMisread ? 200 : 503
    return json({ ...fact, ...(why === undefined ? {} : { ignored: why }) }, status)
  } catch (error) {
    if (error instanceof AnnouncementError) return json({ error: error.message }, 400)
    throw error
  }
}

// Browsers add these to what a page asks for, and no page can take them away. Node.js adds sec-fetch-mode only.
function askerOf({ socket, headers }: IncomingMessage): Asker {
  return {
    address: socket.remoteAddress ?? '',
    isBrowser: 'origin' in headers || 'sec-fetch-site' in headers,
  }
}
