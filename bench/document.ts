import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

const PATH = join(dirname(import.meta.dirname), 'docs', 'benchmarks.md')
const START = '<!-- bench:start -->'
const END = '<!-- bench:end -->'

const NEW_PAGE = `# Benchmarks

\`npm run bench\` measures three servers side by side, in one run: **hardened**, the TCP nodes of this distribution; **core**, Node-RED's own (\`TCP_NODES=core\`); **bare**, a few lines on \`node:net\` for the same purpose. Each is a process of its own, the load comes from another, over 127.0.0.1. What follows is written by the command.

${START}
${END}
`

/** Puts the figures into the page, between two marks; what people wrote around them stays. Tells the path. */
export function writeDocument(figures: string): string {
  const page = existsSync(PATH) ? readFileSync(PATH, 'utf8') : NEW_PAGE
  const start = page.indexOf(START)
  const end = page.indexOf(END)
  if (start < 0 || end < start) throw new Error(`${PATH} has no ${START} followed by ${END}: put them where the figures belong`)
  writeFileSync(PATH, `${page.slice(0, start + START.length)}\n\n${figures}\n\n${page.slice(end)}`)
  return PATH
}
