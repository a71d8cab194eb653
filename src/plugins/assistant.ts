import { createHub } from '../assistant/engine/hub.ts'
import { state } from '../process/state.ts'
import { hintsFor } from './assistant/hints.ts'
import { createPageServer } from './assistant/page.ts'
import { presetsFor, scenarioVariables } from './assistant/presets.ts'
import { keepShortcuts } from './assistant/shortcuts.ts'
import { acceptSockets } from './assistant/sockets.ts'
import type { NodeRed } from './node-red.ts'

/** The network debug assistant: its page at `/assistant`, and its WebSocket at `/assistant/socket`. */
function assistantPlugin(RED: NodeRed): void {
  const { environment, login } = RED.settings.distribution ?? {}
  if (!environment || !login || !environment.ASSISTANT) return
  const hub = createHub({
    limits: {
      endpoints: environment.ASSISTANT_ENDPOINTS,
      peers: environment.ASSISTANT_PEERS,
      logEntries: environment.ASSISTANT_LOG_ENTRIES,
      logBytes: environment.ASSISTANT_LOG_BYTES,
    },
    targets: environment.ASSISTANT_TARGETS,
    presets: presetsFor(environment),
    variables: scenarioVariables(environment),
    hints: (spec, local) => hintsFor(spec, local, { published: state.published, host: environment.ASSISTANT_HOST }),
  })
  keepShortcuts(hub, environment.ASSISTANT_HOST, state.engine.shortcuts)
  const page = createPageServer()
  const allowed = RED.auth.needsPermission('assistant.read')
  RED.httpAdmin.get('/assistant', allowed, page.index)
  RED.httpAdmin.get('/assistant/assets/:name', allowed, page.asset)
  acceptSockets(RED, hub, (cookie) => login.adminAuth.tokens(cookie))
}

export { assistantPlugin as 'module.exports' }
