import type { AddressInfo } from 'node:net'
import { createRegistry, type Registry } from '../tcp/registry.ts'
import type { NodeRed } from './node-red.ts'
import { declaredListeners } from './status/declared-listeners.ts'
import { followFlows } from './status/flow-state.ts'
import { createMetrics } from './status/metrics.ts'
import { readiness } from './status/readiness.ts'
import { createStatusServer, json } from './status/server.ts'

/** Health, readiness, metrics, listeners and sessions on a port of their own. */
function statusPlugin(RED: NodeRed): void {
  const environment = RED.settings.distribution?.environment
  if (!environment) return
  const registry = createRegistry()
  const flows = followFlows(RED, () => registry.forgetListenFailures())
  const metrics = createMetrics(RED, registry)
  const server = createStatusServer({
    '/healthz': () => json({ status: 'ok', uptimeSeconds: Math.round(process.uptime()) }),
    '/readyz': () => {
      const state = readiness(RED, registry, flows)
      return json(state, state.ready ? 200 : 503)
    },
    '/metrics': async () => ({ status: 200, type: metrics.contentType, body: await metrics.metrics() }),
    '/listeners': () => json(describeListeners(RED, registry, (server.address() as AddressInfo).port)),
    '/sessions': () => json(registry.sessions()),
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

function describeListeners(RED: NodeRed, registry: Registry, statusPort: number) {
  const editorPort = RED.settings.serverPort ?? RED.settings.uiPort
  const declared = declaredListeners(RED)
  const bound = registry.listeners().map((listener) => ({
    ...listener,
    state: 'listening',
    role: listener.port === editorPort ? 'editor' : listener.port === statusPort ? 'status' : 'flow',
    declaredBy: declared.filter(({ port }) => port === listener.port).map(declaration),
  }))
  const boundPorts = new Set(bound.map(({ port }) => port))
  const failed = registry.listenFailures().filter(({ port }) => !boundPorts.has(port))
  return [
    ...bound,
    ...failed.map(({ port, code, message, at }) => ({
      port,
      state: 'failed',
      role: 'flow',
      since: at,
      error: { code, message },
      declaredBy: declared.filter((listener) => listener.port === port).map(declaration),
    })),
  ]
}

function declaration({ node, type, name, flow }: { node: string; type: string; name: string; flow: string }) {
  return { node, type, name, flow }
}

export { statusPlugin as 'module.exports' }
