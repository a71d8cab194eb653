// Takes flows that the assistant's page made of a conversation. Runs in the browser: the plugin's assistant.html loads it, compiled.
import type {
  EditorPresence,
  HandoverChannel,
  HandoverMessage,
  HandoverSlot,
  HandoverWaitMs,
  Placed,
  WaitingFlow,
} from '../../assistant/shared/handover.ts'
import { editor, textsOf, type FlowNode } from './editor.ts'

declare const localStorage: Record<'getItem' | 'removeItem', (key: string) => string | null> & {
  setItem: (key: string, value: string) => void
}
declare const addEventListener: (event: string, handler: (event: { key?: string | null; newValue?: string | null }) => void) => void

const CHANNEL: HandoverChannel = 'node-red-tcp/flow'
const SLOT: HandoverSlot = 'node-red-tcp.flow'
const PRESENCE: EditorPresence = 'node-red-tcp.editor'
const WAIT_MS: HandoverWaitMs = 600_000
const NOT_NODES = new Set(['tab', 'subflow', 'group', 'junction'])

const say = textsOf('assistant')
let dialogs = 0

/** Puts a flow on a tab of its own, as an import does: it is to be seen and to be undone, and nothing is deployed. */
function place(text: string): Placed {
  if (!editor.user.hasPermission('flows.write')) return { result: 'not-permitted' }
  if (dialogs > 0) return { result: 'busy' }
  const nodes = JSON.parse(text) as FlowNode[]
  const types = [...new Set(nodes.map(({ type }) => type))].filter((type) => !NOT_NODES.has(type) && !isKnown(type))
  // Imported nonetheless, they would keep all flows from starting at the next deploy.
  if (types.length > 0) return { result: 'unknown', types }
  const before = new Set(editor.nodes.getWorkspaceOrder())
  editor.view.importNodes(nodes, { generateIds: true, notify: false })
  const added = editor.nodes.getWorkspaceOrder().find((id) => !before.has(id))
  if (added !== undefined) editor.workspaces.show(added)
  return { result: 'placed' }
}

function isKnown(type: string): boolean {
  return editor.nodes.getType(type) !== undefined && editor.nodes.registry.getNodeSetForType(type)?.enabled !== false
}

function tell(placed: Placed): void {
  const type = placed.result === 'placed' ? 'success' : 'error'
  const types = placed.result === 'unknown' ? placed.types.join(', ') : ''
  editor.notify(say(placed.result, { types }), { type, timeout: type === 'error' ? 20_000 : 10_000 })
}

/** Takes what waits for the next editor, once. */
function takeWaiting(): void {
  const text = localStorage.getItem(SLOT)
  if (text === null) return
  localStorage.removeItem(SLOT)
  const { at, flow } = JSON.parse(text) as WaitingFlow
  if (Date.now() - at < WAIT_MS) tell(place(flow))
}

function answerPages(): void {
  const channel = new BroadcastChannel(CHANNEL)
  const own = Math.random().toString(36).slice(2)
  const send = (message: HandoverMessage) => channel.postMessage(message)
  channel.onmessage = ({ data }) => {
    const message = data as HandoverMessage
    if (message.step === 'who') send({ step: 'here', id: message.id, editor: own })
    if (message.step !== 'place' || message.editor !== own) return
    const placed = place(message.flow)
    tell(placed)
    send({ step: 'done', id: message.id, ...placed })
  }
}

/** Says that there is an editor; one that closes takes the mark with it, and others set it again. */
function showPresence(): void {
  const mark = () => localStorage.setItem(PRESENCE, String(Date.now()))
  mark()
  addEventListener('pagehide', () => localStorage.removeItem(PRESENCE))
  addEventListener('pageshow', mark)
  addEventListener('storage', ({ key, newValue }) => {
    if (key === PRESENCE && newValue === null) mark()
  })
}

let started = false

function start(): void {
  if (started) return
  started = true
  answerPages()
  showPresence()
  takeWaiting()
}

editor.events.on('editor:open', () => (dialogs += 1))
editor.events.on('editor:close', () => (dialogs = Math.max(0, dialogs - 1)))

editor.plugins.registerPlugin('node-red-tcp-assistant', {
  type: 'node-red-tcp-assistant',
  onadd: () => {
    // A module script may come after the flows.
    if (editor.nodes.getWorkspaceOrder().length > 0) start()
    else editor.events.on('flows:loaded', start)
  },
})
