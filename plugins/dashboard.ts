import { basesAside } from '../provisioning/one-dashboard.ts'
import { readSources, type Source } from '../provisioning/sources.ts'
import type { NodeConfig, NodeRed } from './node-red.ts'

type Socket = { emit: (event: string, ...args: unknown[]) => unknown }
type Server = { use: (middleware: (socket: Socket, next: () => void) => void) => unknown; sockets: { sockets: Map<string, Socket> } }
type Base = { uiShared?: { ioServer?: Server | null } | null; requestEmitConfig?: () => void }

/**
 * With two `ui-base` nodes Node-RED's dashboard shows neither. The next start leaves ours out when the user has one; until then
 * pages are not told of ours.
 */
function dashboardPlugin(RED: NodeRed): void {
  const { distribution } = RED.settings
  if (!distribution) return
  const silenced = new WeakSet<Socket>()
  const guarded = new WeakSet<Server>()
  let sources: readonly Source[] | undefined
  let aside = new Set<string>()

  const silence = (socket: Socket) => {
    if (silenced.has(socket)) return
    silenced.add(socket)
    const emit = socket.emit.bind(socket)
    socket.emit = (event, ...args) => (event === 'ui-config' && aside.has(String(args[0])) ? false : emit(event, ...args))
  }
  const guard = (server: Server) => {
    if (guarded.has(server)) return
    guarded.add(server)
    for (const socket of server.sockets.sockets.values()) silence(socket)
    server.use((socket, next) => {
      silence(socket)
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
