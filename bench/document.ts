import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { PartName } from './part.ts'

const PATH = join(dirname(import.meta.dirname), 'docs', 'benchmarks.md')

/** Parts of the page that are written by themselves. */
export type Section = 'bench' | `bench:${PartName}`

const NEW_PAGE = `# Benchmarks

\`npm run bench\` measures three servers side by side, in one run: **hardened**, the TCP nodes of this distribution; **core**, Node-RED's own (\`TCP_NODES=core\`); **bare**, a few lines on \`node:net\` for the same purpose. Each is a process of its own, the load comes from another, over 127.0.0.1. What follows is written by the command.

${startOf('bench')}
${endOf('bench')}
`

/** Puts the figures into the page, between two marks; what people wrote around them stays. Tells the path. */
export function writeDocument(figures: string, section: Section = 'bench'): string {
  const page = withSection(existsSync(PATH) ? readFileSync(PATH, 'utf8') : NEW_PAGE, section)
  const start = page.indexOf(startOf(section))
  const end = page.indexOf(endOf(section))
  if (end < start) throw new Error(`${PATH} has no ${startOf(section)} followed by ${endOf(section)}: put them where the figures belong`)
  writeFileSync(PATH, `${page.slice(0, start + startOf(section).length)}\n\n${figures}\n\n${page.slice(end)}`)
  return PATH
}

/** A page from before this section was measured gets it at its end. */
function withSection(page: string, section: Section): string {
  if (page.includes(startOf(section))) return page
  return `${page.trimEnd()}\n\n${startOf(section)}\n${endOf(section)}\n`
}

function startOf(section: Section): string {
  return `<!-- ${section}:start -->`
}

function endOf(section: Section): string {
  return `<!-- ${section}:end -->`
}
