import { state } from '../process/state.ts'
import type { PortsSnapshot } from '../ports/shared/facts.ts'
import type { NodeRed } from './node-red.ts'
import { createNewcomers } from './ports/newcomers.ts'
import { passOnStatus } from './ports/node-status.ts'
import { viewOf, type PortsView } from '../ports/shared/view.ts'
import { openFeed } from './status/feed.ts'

// The editor's side is resources/ports.ts.
const TOPIC = 'node-red-tcp/ports'
const NEW_TOPIC = 'node-red-tcp/new-ports'
// A port is to be reached 2 s after its deploy; a second more, so that nobody is told too soon.
const WATCHER_GRACE_MS = 3_000

type Response = { json: (body: unknown) => void }

/** The ports in the editor's sidebar, a notification for those that nobody outside reaches, and GET /ports (permission `ports.read`). */
function portsPlugin(RED: NodeRed): void {
  const environment = RED.settings.distribution?.environment
  if (!environment) return
  const { published } = state
  published.configure(environment.PUBLISHED_PORTS)
  passOnStatus(RED)
  const feed = openFeed(RED, state)
  const newcomers = createNewcomers({
    graceMs: () => (feed.streams.size > 0 ? WATCHER_GRACE_MS : 0),
    tell: (problems) => RED.comms.publish(NEW_TOPIC, problems),
  })
  const withAssistant = (view: PortsView): PortsView => ({ ...view, assistant: environment.ASSISTANT })
  let sent = ''
  const show = (snapshot: PortsSnapshot) => {
    const view = withAssistant(viewOf(snapshot, published))
    newcomers.look(view.rows)
    const text = JSON.stringify(view)
    if (text === sent) return
    sent = text
    RED.comms.publish(TOPIC, view, true)
  }
  // Numbers of clients are for somebody who looks.
  const editors = new Set<string>()
  const follow = () => feed.follow(show, { counts: editors.size > 0 })
  RED.events.on('comms:connection-added', ({ session }: { session: string }) => {
    editors.add(session)
    follow()
  })
  RED.events.on('comms:connection-removed', ({ session }: { session: string }) => {
    editors.delete(session)
    follow()
  })
  follow()
  published.follow(() => show(feed.snapshot()))
  RED.events.on('flows:stopping', () => newcomers.startDeploy())
  RED.httpAdmin.get('/ports', RED.auth.needsPermission('ports.read'), (_request: unknown, response: Response) => {
    response.json(withAssistant(viewOf(feed.snapshot(), published)))
  })
}

export { portsPlugin as 'module.exports' }
