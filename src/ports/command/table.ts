import type { PortRow } from '../shared/diagnosis.ts'
import type { UsedBy } from '../shared/facts.ts'
import { formatAddress } from '../../text/address.ts'
import { describeProblem } from './texts.ts'

const WIDTH = 100
const GAP = '  '

/** Rows as a table of at most 100 columns; each problem in a line of its own under its row. `fixes`: with what mends it. */
export function formatRows(rows: readonly PortRow[], { fixes }: { fixes: boolean }): string {
  const listeners = rows.filter(({ kind }) => kind === 'listener')
  const clients = rows.filter(({ kind }) => kind === 'client')
  return [
    ...(listeners.length === 0 ? ['No flow listens on a port.'] : []),
    ...section(['PORT', 'STATE', 'PUBLISHED ON', 'BY', 'CLIENTS', 'DECLARED BY'], listeners, listenerCells, fixes),
    ...(clients.length === 0 ? [] : ['']),
    ...section(['CONNECTS TO', 'STATE', 'DECLARED BY'], clients, clientCells, fixes),
  ].join('\n')
}

function section(header: string[], rows: readonly PortRow[], cellsOf: (row: PortRow) => string[], fixes: boolean): string[] {
  if (rows.length === 0) return []
  const table = [header, ...rows.map(cellsOf)]
  const widths = header.map((_, column) => Math.max(...table.map((cells) => cells[column]!.length)))
  const line = (cells: string[]) => cut(cells.map((cell, column) => cell.padEnd(widths[column]!)).join(GAP))
  return [line(header), ...rows.flatMap((row, index) => [line(table[index + 1]!), ...problemLines(row, fixes)])]
}

function listenerCells({ port, state, published, clients, declaredBy }: PortRow): string[] {
  const places = published.map(({ address, hostPort }) => formatAddress(address, hostPort))
  const by = [...new Set(published.map((publication) => publication.by))].join(', ')
  return [String(port), state, places.join(' ') || '-', by || 'nobody', String(clients), describeUsers(declaredBy)]
}

function clientCells({ host = '', port, state, declaredBy }: PortRow): string[] {
  return [formatAddress(host, port), state, describeUsers(declaredBy)]
}

function describeUsers(users: readonly UsedBy[]): string {
  return users.map(({ flow, name, node, type }) => `${flow} / ${name || `${type} ${node}`}`).join('; ') || '-'
}

function problemLines({ problems }: PortRow, fixes: boolean): string[] {
  return problems.flatMap((problem) => [
    `  ${problem.isNote ? '·' : '!'} ${describeProblem(problem)}`,
    ...(fixes ? [`    → ${problem.fix}`] : []),
  ])
}

function cut(line: string): string {
  const trimmed = line.trimEnd()
  return trimmed.length > WIDTH ? `${trimmed.slice(0, WIDTH - 1)}…` : trimmed
}
