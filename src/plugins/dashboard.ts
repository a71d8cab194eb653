import { basesAside } from '../provisioning/one-dashboard.ts'
import { readSources, type Source } from '../provisioning/sources.ts'
import { createBoundedReport } from '../tcp/bounded-report.ts'
import type { NodeConfig, NodeRed } from './node-red.ts'

// A page sends three. socket.io puts all that it gets onto the stack, which ends the process when they do not fit.
const MAX_ARGUMENTS = 100

type Socket = {
  emit: (event: string, ...args: unknown[]) => unknown
  use: (middleware: (event: readonly unknown[], next: () => void) => void) => unknown
  disconnect: (close: boolean) => unknown
}
type Server = { use: (middleware: (socket: Socket, next: () => void) => void) => unknown; sockets: { sockets: Map<string, Socket> } }
type Base = { uiShared?: { ioServer?: Server | null } | null; requestEmitConfig?: () => void }

/**
 * With two `ui-base` nodes Node-RED's dashboard shows neither. The next start leaves ours out when the user has one; until then
 * pages are not told of ours. Whoever sends events that no page sends is disconnected.
 */
function dashboardPlugin(RED: NodeRed): void {
  const { distribution } = RED.settings
  if (!distribution) return
  const silenced = new WeakSet<Socket>()
  const guarded = new WeakSet<Server>()
  let sources: readonly Source[] | undefined
  let aside = new Set<string>()

  const odd = createBoundedReport('pages disconnected', (message) => RED.log.warn(message))
  const silence = (socket: Socket) => {
    if (silenced.has(socket)) return
    silenced.add(socket)
    const emit = socket.emit.bind(socket)
    socket.emit = (event, ...args) => (event === 'ui-config' && aside.has(String(args[0])) ? false : emit(event, ...args))
  }
  const bound = (socket: Socket) => {
    socket.use((event, next) => {
      if (event.length <= MAX_ARGUMENTS) return next()
      odd.add(
        `dashboard: a page was disconnected, since it sent an event with ${event.length} arguments; at most ${MAX_ARGUMENTS} are taken`,
      )
      socket.disconnect(true)
    })
  }
  const guard = (server: Server) => {
    if (guarded.has(server)) return
    guarded.add(server)
    const take = (socket: Socket) => {
      silence(socket)
      bound(socket)
    }
    for (const socket of server.sockets.sockets.values()) take(socket)
    server.use((socket, next) => {
      take(socket)
      next()
    })
  }

  RED.events.on('flows:started', () => {
    const bases: NodeConfig[] = []
    RED.nodes.eachNode((node) => {
      if (node.type === 'ui-base') bases.push(node)
    })
    const before = aside
    if (bases.length > 1) sources ??= readSources(distribution.provisioning()).sources
    aside = new Set(bases.length > 1 ? basesAside(sources ?? [], bases) : [])
    for (const { id } of bases) {
      const base = RED.nodes.getNode(id) as Base | null
      if (base?.uiShared?.ioServer) guard(base.uiShared.ioServer)
      if (before.has(id) && !aside.has(id)) base?.requestEmitConfig?.()
    }
  })
}

export { dashboardPlugin as 'module.exports' }
