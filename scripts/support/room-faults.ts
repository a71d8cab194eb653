import type { Import } from './imports.ts'
import { ROOMS, roomOf } from './rooms.ts'

const SOURCE = /^(settings\.ts$|(src|scripts|test|bench)\/)/

/** One line for each import that the table of rooms forbids, and for each circle. */
export function findFaults(imports: readonly Import[]): string[] {
  const faults = new Set<string>(faultsOfTable())
  const circles = new Set<string>()
  for (const { from, to, core, circle } of imports) {
    const room = roomOf(from)
    if (room === undefined) faults.add(`${from} is in no room: name one in scripts/support/rooms.ts`)
    const fault = room === undefined ? undefined : faultOf(room, { to, core })
    if (fault !== undefined) faults.add(`${from} imports ${to}: ${fault}`)
    if (circle === undefined) continue
    const members = [...circle].toSorted().join()
    if (circles.has(members)) continue
    circles.add(members)
    faults.add(`a circle of imports: ${from} → ${circle.join(' → ')}`)
  }
  return [...faults]
}

function faultOf(name: string, { to, core }: Pick<Import, 'to' | 'core'>): string | undefined {
  const { imports, browser } = ROOMS[name]!
  if (core) return browser && `${name} runs in the browser, where there is no Node.js`
  if (!SOURCE.test(to) || imports === 'any') return undefined
  const other = roomOf(to)
  if (other === undefined) return 'it is in no room: name one in scripts/support/rooms.ts'
  if (other === name || imports.includes(other)) return undefined
  return `${name} may not import ${other} (scripts/support/rooms.ts)`
}

function faultsOfTable(): string[] {
  return Object.entries(ROOMS).flatMap(([name, { imports, browser }]) => {
    if (imports === 'any') return []
    const unknown = imports.filter((other) => ROOMS[other] === undefined)
    const server = browser ? imports.filter((other) => ROOMS[other]?.browser === undefined) : []
    return [
      ...unknown.map((other) => `scripts/support/rooms.ts: ${name} imports ${other}, which is no room`),
      ...server.map((other) => `scripts/support/rooms.ts: ${name} runs in the browser, ${other} does not`),
    ]
  })
}
