import { createBoundedReport } from '../tcp/bounded-report.ts'
import type { NodeRed } from './node-red.ts'
import { guardComms } from './editor/comms.ts'
import { createInstallReader } from './editor/install-reader.ts'

const SHOWN_MS = 30_000

type EventLog = { id?: string; payload?: { data?: string; type?: string; end?: boolean } }

/** Ways from the editor to the other pages (resources/menu.ts), why an install from the palette has failed, and what editors say. */
function editorPlugin(RED: NodeRed): void {
  const left = createBoundedReport('messages of editors were left out', (message) => RED.log.warn(message))
  guardComms(`${(RED.settings.httpAdminRoot ?? '/').replace(/\/$/, '')}/comms`, left.add)
  // Node-RED tells the editor "Install failed" and no more; why stands among npm's lines.
  const installs = createInstallReader(({ problem, reason }) => {
    RED.log.warn(`palette: ${problem.log}${reason === '' ? '' : ` npm says: ${reason}`}`)
    const payload = { type: 'error', text: `node-red-tcp-plugins/editor:install.${problem.key}`, reason, timeout: SHOWN_MS }
    RED.events.emit('runtime-event', { id: 'palette-install', payload, retain: false })
  })
  RED.events.on('event-log', ({ id, payload }: EventLog) => {
    if (id !== undefined && payload) installs.read(id, payload)
  })
}

export { editorPlugin as 'module.exports' }
