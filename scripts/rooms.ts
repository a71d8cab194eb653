// Checks what imports what in the working directory, and the picture of it in docs/architecture.md: npm run check:rooms.
// With --write, draws the picture: npm run docs:rooms.
import { readFileSync, writeFileSync } from 'node:fs'
import { drawRooms, replacePicture } from './support/draw-rooms.ts'
import { findImports } from './support/imports.ts'
import { findFaults } from './support/room-faults.ts'

const DOCUMENT = 'docs/architecture.md'

const imports = await findImports(process.cwd())
const faults = findFaults(imports)
const text = readFileSync(DOCUMENT, 'utf8')
const current = replacePicture(text, drawRooms(imports))
if (process.argv.includes('--write')) writeFileSync(DOCUMENT, current)
else if (text !== current) faults.push(`${DOCUMENT} does not show the rooms as they are: npm run docs:rooms draws them`)

for (const fault of faults) console.error(fault)
process.exitCode = faults.length === 0 ? 0 : 1
