// The editor's menu leads to the other pages of this server. Runs in the browser: the plugin's editor.html loads it, compiled.
import { editor, textsOf } from './editor.ts'

declare const open: (url: string, target: string) => unknown
declare const fetch: (url: string, options: { method: string }) => Promise<{ ok: boolean }>

const MENU = 'red-ui-header-button-sidemenu'
const ASSISTANT = 'assistant/'

const say = textsOf('editor')

/** The dashboard deployed here, at whatever path. */
function openDashboard(): void {
  let path: string | undefined
  editor.nodes.eachConfig((node) => {
    if (node.type === 'ui-base' && typeof node.path === 'string') path ??= node.path
  })
  if (path === undefined) editor.notify(say('menu.noDashboard'), { type: 'warning', timeout: 5_000 })
  else open(path, '_blank')
}

let started = false

async function start(): Promise<void> {
  if (started) return
  started = true
  editor.menu.addItem(MENU, null)
  const hasAssistant = await fetch(ASSISTANT, { method: 'HEAD' }).then(
    ({ ok }) => ok,
    () => false,
  )
  if (hasAssistant)
    editor.menu.addItem(MENU, {
      id: 'menu-item-tcp-assistant',
      label: say('menu.assistant'),
      onselect: () => void open(ASSISTANT, '_blank'),
    })
  editor.menu.addItem(MENU, { id: 'menu-item-tcp-dashboard', label: say('menu.dashboard'), onselect: openDashboard })
}

editor.plugins.registerPlugin('node-red-tcp-editor', {
  type: 'node-red-tcp-editor',
  onadd: () => {
    // As in assistant.ts: a module script may come after the flows.
    if (editor.nodes.getWorkspaceOrder().length > 0) void start()
    else editor.events.on('flows:loaded', () => void start())
  },
})
