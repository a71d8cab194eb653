// The status of tcp nodes in the editor's language. Node-RED's own text stays as it is for flows that look at it; what is ours comes beside
// it, see plugins/ports/node-status.ts, and is put into few words here.
import { formatAddress } from '../../text/address.ts'
import { editor, say } from './editor.ts'
import { problemText } from './problems.ts'

type Place = { address: string; hostPort: number }
type Listening = { address: string; port: number; reach: string; publications?: Place[] }
type Ours = {
  text?: string
  connections?: number
  listening?: Listening
  warning?: string
  failed?: { reason: string; port?: number; errno?: string; badPort?: string }
  waiting?: number
}

const TYPES = new Set(['tcp in', 'tcp out', 'tcp request'])

const known = new Map<string, Ours>()

/** Follows the status of all nodes and puts that of tcp nodes into words. */
export function translateStatus(): void {
  editor.comms.subscribe('node-red-tcp/status/#', (topic: string, status: Ours) => {
    const id = topic.split('/').at(-1) ?? ''
    known.set(id, status)
    show(id, textOf(status))
  })
  // Node-RED shows its own text whenever it comes; ours takes its place once more.
  editor.comms.subscribe('status/#', (topic: string, { text }: { text?: string }) => {
    const id = topic.split('/')[1] ?? ''
    const ours = known.get(id)
    if (ours && ours.text === text) show(id, textOf(ours))
  })
}

function show(id: string, text: string | undefined): void {
  if (text === undefined || text === '') return
  // After Node-RED's own handler, which may be asked later.
  queueMicrotask(() => {
    const node = editor.nodes.node(id)
    if (!node || !TYPES.has(node.type)) return
    node.status = { ...node.status, text }
    node.dirtyStatus = true
    editor.view.redrawStatus(node)
  })
}

function textOf({ text, connections, listening, warning, failed, waiting }: Ours): string {
  if (failed) return failedText(failed)
  const parts = [
    listening && placeText(listening),
    connections === undefined ? text : say(connections === 1 ? 'status.connection' : 'status.connections', { number: connections }),
    waiting === undefined ? undefined : say('status.waiting', { number: waiting }),
    warning,
  ]
  return parts.filter((part) => part !== undefined && part !== '').join(' · ')
}

/** Few words: an address that is all of them goes without saying, and so does a port that is published as it is. */
function placeText({ address, port, reach, publications = [] }: Listening): string {
  const bound = shortPlace({ address, hostPort: port })
  if (reach === 'insideOnly') return `${bound} ${say('status.insideOnly')}`
  if (reach === 'notPublished') return `:${port} ${say('notPublished')}`
  const others = publications.map(shortPlace).filter((way) => way !== `:${port}`)
  if (reach === 'published') return others.length === 0 ? `:${port}` : `:${port} → ${others.join(', ')}`
  return reach === 'unknown' ? `:${port}` : bound
}

function shortPlace({ address, hostPort }: Place): string {
  return address === '0.0.0.0' || address === '::' ? `:${hostPort}` : formatAddress(address, hostPort)
}

function failedText({ reason, port, errno = '', badPort }: NonNullable<Ours['failed']>): string {
  if (badPort !== undefined) return say('status.badPort', { port: badPort })
  return port === undefined ? reason : problemText({ code: 'LISTEN_FAILED', params: { port, reason, errno }, fix: '' })
}
