// The sidebar tab "Ports" and its notification. Runs in the browser: the plugin's ports.html loads it, compiled, as a module script.
import type { Problem } from '../../ports/shared/diagnosis.ts'
import type { PortsView } from '../../ports/shared/view.ts'
import { editor, element, say } from './editor.ts'
import { createNotification } from './notification.ts'
import { translateStatus } from './status.ts'
import { createTable } from './table.ts'

const MAX_NAMED = 10
const TAB = 'node-red-tcp-ports'

function addSidebar(): void {
  const note = element('p', 'tcp-ports-note')
  const summary = element('p', 'tcp-ports-summary').attr('role', 'status').toggle(false)
  const listeners = createTable('listener')
  const clients = createTable('client')
  const more = element('p', 'tcp-ports-note').toggle(false)
  const content = element('div', 'tcp-ports').append(note, summary, listeners.element, clients.element, more)
  const notification = createNotification(() => editor.sidebar.show(TAB))

  function show(view: PortsView): void {
    note.text(say(view.rows.length === 0 ? 'note.none' : `note.${view.reach}`))
    const ports = [...new Set(view.rows.filter(({ problems }) => problems.some(({ isNote }) => !isNote)).map(({ port }) => port))]
    const named = ports.slice(0, MAX_NAMED).join(', ') + (ports.length > MAX_NAMED ? ' …' : '')
    summary.text(say('note.mend', { ports: named })).toggle(ports.length > 0)
    listeners.show(view)
    clients.show(view)
    more.text(say('note.more', { more: view.more })).toggle(view.more > 0)
    notification.update(view)
  }

  editor.sidebar.addTab({ id: TAB, name: say('tab'), label: say('tab'), iconClass: 'fa fa-plug', content, enableOnEdit: true })
  translateStatus()
  editor.comms.subscribe('node-red-tcp/ports', (_topic, view: PortsView) => show(view))
  editor.comms.subscribe('node-red-tcp/new-ports', (_topic, problems: Problem[]) => notification.tell(problems))
}

editor.plugins.registerPlugin(TAB, { type: 'node-red-tcp-sidebar', onadd: addSidebar })
