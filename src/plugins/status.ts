import type { AddressInfo } from 'node:net'
import { state } from '../process/state.ts'
import { formatAddress, ownAddress } from '../text/address.ts'
import type { NodeRed } from './node-red.ts'
import { findClients } from './status/facts.ts'
import { openFeed } from './status/feed.ts'
import { describeListeners, describeSessions } from './status/listeners.ts'
import { createMetrics } from './status/metrics.ts'
import { createPace } from './status/pace.ts'
import { answerPort } from './status/port-page.ts'
import { readiness } from './status/readiness.ts'
import { createStatusServer, json, type Routes } from './status/server.ts'
import { openStream, TOO_MANY_STREAMS } from './status/stream.ts'

/** Health, readiness, metrics, listeners, clients and sessions on a port of their own. */
function statusPlugin(RED: NodeRed): void {
  const environment = RED.settings.distribution?.environment
  if (!environment) return
  const feed = openFeed(RED, state)
  const { observer, flows } = feed
  const metrics = createMetrics(observer, state.engine)
  const paced = createPace()
  const listeners = paced(() => feed.listeners())
  const pages: Routes = {
    '/healthz': () => json({ status: 'ok', uptimeSeconds: Math.round(process.uptime()) }),
    '/readyz': paced(() => {
      const now = readiness(feed.source, flows)
      return json(now, now.ready ? 200 : 503)
    }),
    '/metrics': paced(async () => ({ status: 200, type: metrics.contentType, body: await metrics.metrics() })),
    '/listeners': paced(() => json(describeListeners(feed.listeners()))),
    '/listeners/stream': (request, _url, response) =>
      openStream(feed, request, response) ? undefined : json({ error: TOO_MANY_STREAMS }, 503),
    '/listeners/': (request, url) => answerPort(request, url, { facts: async () => (await listeners()).map(({ fact }) => fact), state }),
    '/clients': paced(() => json(findClients(feed.source))),
    '/sessions': paced(() => json(describeSessions(feed.source))),
  }
  const server = createStatusServer(pages, {
    hosts: environment.STATUS_HOSTS,
    reserved: state.engine.descriptors.limits().reserved,
  })
  server.on('error', (error: NodeJS.ErrnoException) => {
    const hint = error.code === 'EADDRINUSE' ? '; set STATUS_PORT to a free one' : ''
    RED.log.error(`no status on ${environment.STATUS_BIND}:${environment.STATUS_PORT}: ${error.message}${hint}`)
  })
  server.listen(environment.STATUS_PORT, environment.STATUS_BIND, () => {
    const { address, port } = server.address() as AddressInfo
    feed.setStatusPort(port)
    // For flows, which read it as ${STATUS_URL} or $env("STATUS_URL").
    process.env.STATUS_URL = `http://${formatAddress(ownAddress(address), port)}`
    RED.log.info(`Status at http://${address}:${port}/readyz`)
  })
}

export { statusPlugin as 'module.exports' }
