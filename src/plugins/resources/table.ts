import type { PortRow } from '../../ports/shared/diagnosis.ts'
import type { Publication, UsedBy } from '../../ports/shared/facts.ts'
import type { PortsView } from '../../ports/shared/view.ts'
import { formatAddress } from '../../text/address.ts'
import { button, editor, element, say, type Elements } from './editor.ts'
import { showProblem } from './problems.ts'

const COLUMNS = {
  listener: ['port', 'declaredBy', 'state', 'published', 'clients', 'problem'],
  client: ['address', 'declaredBy', 'state', 'problem'],
} as const

type Kind = PortRow['kind']
type Column = (typeof COLUMNS)[Kind][number]
/** What all rows share. */
type About = { reach: PortsView['reach']; assistant: boolean }
type Shown = { element: Elements; cells: Map<Column, { content: string; element: Elements }> }

/** A table of one kind of rows that changes only where something has changed, so that focus stays where it is. */
export function createTable(kind: Kind): { element: Elements; show: (view: PortsView) => void } {
  const shown = new Map<string, Shown>()
  const title = element('h3', 'tcp-ports-title', say(`title.${kind}`))
  const header = element('div', 'tcp-ports-row tcp-ports-header').attr('role', 'row')
  for (const column of COLUMNS[kind]) header.append(element('div', '', say(`column.${column}`)).attr('role', 'columnheader'))
  const table = element('div', `tcp-ports-table tcp-ports-${kind}`)
    .attr('role', 'table')
    .attr('aria-label', say(`title.${kind}`))
  const all = element('section', '').append(title, table.append(header))

  function show({ rows, reach, assistant = false }: PortsView): void {
    const mine = rows.filter((row) => row.kind === kind)
    all.toggle(mine.length > 0)
    const keys = new Set(mine.map(keyOf))
    for (const [key, row] of shown) {
      if (keys.has(key)) continue
      row.element.remove()
      shown.delete(key)
    }
    let above = header
    for (const row of mine) {
      const known = shown.get(keyOf(row)) ?? createRow(kind)
      if (!shown.has(keyOf(row))) known.element.insertAfter(above)
      shown.set(keyOf(row), known)
      fillRow(known, row, { reach, assistant })
      above = known.element
    }
  }

  return { element: all, show }
}

function keyOf({ kind, host, port, state, address, declaredBy }: PortRow): string {
  const where = kind === 'client' ? host : state === 'failed' ? state : address
  return `${port} ${where} ${kind === 'client' ? declaredBy[0]?.node : ''}`
}

function createRow(kind: Kind): Shown {
  const cells = new Map(COLUMNS[kind].map((column) => [column, { content: '', element: createCell(column) }] as const))
  const row = element('div', 'tcp-ports-row').attr('role', 'row')
  return { element: row.append(...[...cells.values()].map((cell) => cell.element)), cells }
}

function createCell(column: Column): Elements {
  return element('div', `tcp-ports-cell tcp-ports-cell-${column}`)
    .attr('role', 'cell')
    .attr('data-label', say(`column.${column}`))
}

function fillRow({ cells }: Shown, row: PortRow, about: About): void {
  for (const [column, cell] of cells) {
    const content = JSON.stringify(contentOf(column, row, about))
    if (content === cell.content) continue
    cell.content = content
    cell.element.empty().append(...elementsOf(column, row, about))
  }
}

/** The content of a cell, to see whether it has changed. */
function contentOf(column: Column, row: PortRow, { reach, assistant }: About): unknown {
  if (column === 'port' || column === 'address') return [row.port, row.host, row.state, row.address, assistant]
  if (column === 'published') return [row.published, row.address, row.state, reach]
  return { declaredBy: row.declaredBy, state: row.state, clients: row.clients, problem: row.problems }[column]
}

function elementsOf(column: Column, row: PortRow, { reach, assistant }: About): Elements[] {
  switch (column) {
    case 'port':
      return [showPlace(String(row.port), row, assistant && row.state === 'listening')]
    case 'address':
      return [showPlace(formatAddress(row.host ?? '', row.port), row, assistant)]
    case 'declaredBy':
      return row.declaredBy.length > 0 ? row.declaredBy.map(showNode) : [element('span', 'tcp-ports-quiet', say('declaredByNobody'))]
    case 'state':
      return [element('span', `tcp-ports-state tcp-ports-${row.state}`, say(`state.${row.state}`))]
    case 'published':
      return showPublished(row, reach)
    case 'clients':
      return [element('span', '', String(row.clients))]
    case 'problem':
      return row.problems.map(showProblem)
  }
}

/** One element, so that the link stands beside the port also where a cell has its label in front. */
function showPlace(place: string, row: PortRow, isLinked: boolean): Elements {
  return element('span', '').append(element('strong', '', place), ...(isLinked ? [assistantLink(row)] : []))
}

/** To the other side of this port in the debug assistant, which runs where Node-RED does. */
function assistantLink({ kind, port, address }: PortRow): Elements {
  const everywhere = address === undefined || address === '::' || address === '0.0.0.0'
  const query =
    kind === 'client' ? `listen=${port}` : `connect=${encodeURIComponent(formatAddress(everywhere ? '127.0.0.1' : address, port))}`
  const link = element('a', 'tcp-ports-assistant').attr('href', `assistant?${query}`).attr('target', '_blank').attr('rel', 'noopener')
  return link
    .attr('title', say('assistant'))
    .attr('aria-label', `${say('assistant')}: ${port}`)
    .text('⇄')
}

function showNode({ node, type, name, flow }: UsedBy): Elements {
  const reveal = () => {
    if (editor.nodes.node(node)) editor.view.reveal(node)
    else editor.notify(element('p', '', say('notInEditor')), { type: 'compact', timeout: 5_000 })
  }
  const link = button('tcp-ports-link', name || type, reveal).attr('title', say('reveal'))
  return element('div', '').append(link, element('span', 'tcp-ports-quiet', flow))
}

function showPublished({ published, address, port, state }: PortRow, reach: PortsView['reach']): Elements[] {
  if (published.length > 0) return published.map(showPublication)
  if (state !== 'listening') return [element('span', 'tcp-ports-quiet', '–')]
  // Nothing is in between: where it listens is where it is reached.
  if (reach === 'direct') return [element('span', '', formatAddress(address === '::' ? '0.0.0.0' : (address ?? ''), port))]
  if (reach === 'mapped') return [element('span', 'tcp-ports-unpublished', say('notPublished'))]
  return [element('span', 'tcp-ports-quiet', say('notKnown'))]
}

function showPublication({ address, hostPort, by }: Publication): Elements {
  return element('div', '').append(
    element('span', '', formatAddress(address, hostPort)),
    element('span', 'tcp-ports-quiet', say(`by.${by}`)),
  )
}
