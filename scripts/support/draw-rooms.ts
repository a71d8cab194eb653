import type { Import } from './imports.ts'
import { ROOMS, roomOf } from './rooms.ts'

const PICTURE = /(<!-- drawn by npm run docs:rooms -->\n\n)[^]*?(\n<!-- end of the drawing -->)/

/** One line for each room: what it imports today. */
export function drawRooms(imports: readonly Import[]): string {
  const rows = Object.entries(ROOMS)
    .filter(([, { imports }]) => imports !== 'any')
    .map(([room]) => ({ room, others: describeOthers(room, imports) }))
    .filter(({ others }) => others !== '')
  const width = Math.max(...rows.map(({ room }) => room.length))
  return rows.map(({ room, others }) => `${room.padEnd(width)}  ──►  ${others}\n`).join('')
}

function describeOthers(room: string, imports: readonly Import[]): string {
  const uses = imports
    .filter(({ from }) => roomOf(from) === room)
    .map(({ to, typeOnly }) => ({ other: roomOf(to), typeOnly }))
    .filter(({ other }) => other !== undefined && other !== room)
  const names = [...new Set(uses.map(({ other }) => other!))].toSorted()
  return names.map((name) => (uses.every(({ other, typeOnly }) => other !== name || typeOnly) ? `${name} (types)` : name)).join(', ')
}

/**
 * Puts the picture between its marks.
 * @throws Error when the marks are missing
 */
export function replacePicture(document: string, picture: string): string {
  if (!PICTURE.test(document)) throw new Error('docs/architecture.md has no place for the drawing of the rooms')
  return document.replace(PICTURE, (_all, before: string, after: string) => `${before}\`\`\`text\n${picture}\`\`\`\n${after}`)
}
