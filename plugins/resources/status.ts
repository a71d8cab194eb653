// The status of nodes that listen, in the editor's language. Node-RED translates a status that is nothing but a key, and lets none have
// values; and flows that look at it count on the English one. So what the server says stays as it is, and is put into words here.
import { editor, say } from './editor.ts'
import { problemText } from './problems.ts'

const LISTENING = /^listening (\S+)(?: → ([^·]+)| · (not published|inside the container only))? · (\d+) connections?$/
const FAILED = /^can not listen on port (\d+): (.*)$/
const BAD_PORT = /^"(.*)" is not a port number\b/
const CONNECTIONS = /^(\d+) connections?$/

/** Follows the status of all nodes and puts that of tcp nodes into words. */
export function translateStatus(): void {
  editor.comms.subscribe('status/#', (topic: string, { text }: { text?: string }) => {
    const translated = translate(text ?? '')
    if (translated === undefined) return
    // After Node-RED's own handler, which is asked later.
    queueMicrotask(() => {
      const node = editor.nodes.node(topic.split('/')[1] ?? '')
      if (!node || !/^tcp (in|out|request)$/.test(node.type)) return
      node.status = { ...node.status, text: translated }
      node.dirtyStatus = true
      editor.view.redrawStatus(node)
    })
  })
}

function translate(text: string): string | undefined {
  const count = CONNECTIONS.exec(text)?.[1]
  if (count !== undefined) return connections(count)
  const [, port, reason = ''] = FAILED.exec(text) ?? []
  if (port !== undefined) return problemText({ code: 'LISTEN_FAILED', params: { port, reason }, fix: '' })
  const wrong = BAD_PORT.exec(text)?.[1]
  if (wrong !== undefined) return say('status.badPort', { port: wrong })
  const [, place, ways, caveat, clients] = LISTENING.exec(text) ?? []
  if (place === undefined || clients === undefined) return undefined
  const reach = caveat === undefined ? '' : ` · ${say(caveat === 'not published' ? 'notPublished' : 'status.insideOnly')}`
  return `${say('status.listening', { place })}${ways === undefined ? '' : ` → ${ways.trim()}`}${reach} · ${connections(clients)}`
}

function connections(count: string): string {
  return say(count === '1' ? 'status.connection' : 'status.connections', { number: count })
}
