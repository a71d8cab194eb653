import { state } from '../process/state.ts'
import { createBoundedReport } from '../tcp/bounded-report.ts'
import { limitConnections } from './http-connections.ts'
import { createHttpMemory, type HttpMemory, type SocketServer } from './http-memory.ts'
import type { NodeRed } from './node-red.ts'

const HEADERS_MS = 10_000
// A module may be uploaded over a slow line.
const REQUEST_MS = 120_000
// One by one.
const SLOWED_TOLD = 10

/** Puts the login in front of the editor's HTTP server. */
function loginPlugin(RED: NodeRed): void {
  const { login, environment } = RED.settings.distribution ?? {}
  if (!login || !environment) return
  const most = environment.HTTP_MAX_CONNECTIONS
  const report = createBoundedReport('connections closed', (message) => RED.log.warn(message))
  const connections = limitConnections(RED.server, {
    most,
    headersMs: HEADERS_MS,
    requestMs: REQUEST_MS,
    onGivenUp: (address) =>
      report.add(`editor port: a connection from ${address} was closed, since there were ${most} already (HTTP_MAX_CONNECTIONS)`),
    onHasty: (address, requests) =>
      report.add(`editor port: a connection from ${address} was closed, since more than ${requests} requests came before their answers`),
  })
  const evictions = createBoundedReport('clients disconnected', (message) => RED.log.warn(message))
  const memory = createHttpMemory(state.engine.budget, (message) => evictions.add(message))
  const counted: typeof connections = {
    ...connections,
    request(request, response, trusted) {
      if (!connections.request(request, response, trusted)) return false
      if (!trusted) memory.countRequest(request, response)
      return true
    },
  }
  const failures = createBoundedReport('requests failed', (message) => RED.log.warn(message))
  const slowed = createBoundedReport('logins refused', (message) => RED.log.warn(message), SLOWED_TOLD)
  login.guard(RED.server, counted, {
    httpNode: RED.httpNode,
    httpAdmin: RED.httpAdmin,
    dashboards: () => dashboardPaths(RED),
    isSocket: (path) => listensForWebSockets(RED, path, memory),
    warn: (message) => RED.log.warn(message),
    onSlowed: (message) => slowed.add(message),
    onFailed: (message) => failures.add(message),
  })
}

function dashboardPaths(RED: NodeRed): string[] {
  const paths: string[] = []
  RED.nodes.eachNode(({ type, path }) => {
    if (type === 'ui-base' && typeof path === 'string') paths.push(`/${path.replace(/^\/+/, '')}`)
  })
  return paths
}

function listensForWebSockets(RED: NodeRed, path: string, memory: HttpMemory): boolean {
  let found = false
  RED.nodes.eachNode(({ type, id, path: configured }) => {
    if (type !== 'websocket-listener') return
    const node = RED.nodes.getNode(id)
    const listening = node?.path ?? configured
    if (typeof listening !== 'string' || `/${listening.replace(/^\/+/, '')}` !== path) return
    if (node?.server) memory.countMessages(node.server as SocketServer)
    found = true
  })
  return found
}

export { loginPlugin as 'module.exports' }
