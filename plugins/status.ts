import type { AddressInfo } from 'node:net'
import { createObserver } from '../tcp/observer.ts'
import type { NodeRed } from './node-red.ts'
import { followFlows } from './status/flow-state.ts'
import { describeListeners, describeSessions } from './status/listeners.ts'
import { createMetrics } from './status/metrics.ts'
import { readiness } from './status/readiness.ts'
import { createStatusServer, json } from './status/server.ts'

/** Health, readiness, metrics, listeners and sessions on a port of their own. */
function statusPlugin(RED: NodeRed): void {
  const environment = RED.settings.distribution?.environment
  if (!environment) return
  const observer = createObserver()
  const flows = followFlows(RED, () => observer.forgetListenFailures())
  const metrics = createMetrics(observer)
  const server = createStatusServer({
    '/healthz': () => json({ status: 'ok', uptimeSeconds: Math.round(process.uptime()) }),
    '/readyz': () => {
      const state = readiness(RED, observer, flows)
      return json(state, state.ready ? 200 : 503)
    },
    '/metrics': async () => ({ status: 200, type: metrics.contentType, body: await metrics.metrics() }),
    '/listeners': () => json(describeListeners(RED, observer, (server.address() as AddressInfo).port)),
    '/sessions': () => json(describeSessions(RED, observer)),
  })
  server.on('error', (error: NodeJS.ErrnoException) => {
    const hint = error.code === 'EADDRINUSE' ? '; set STATUS_PORT to a free one' : ''
    RED.log.error(`no status on ${environment.STATUS_BIND}:${environment.STATUS_PORT}: ${error.message}${hint}`)
  })
  server.listen(environment.STATUS_PORT, environment.STATUS_BIND, () => {
    const { address, port } = server.address() as AddressInfo
    RED.log.info(`Status at http://${address}:${port}/readyz`)
  })
}

export { statusPlugin as 'module.exports' }
