// Compiles to dist/, bundles what runs in browsers, and puts beside it what Node-RED wants beside a node or plugin: dialogs and their texts. `npm run check` looks at types.
import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { dirname, extname, join } from 'node:path'
import { output } from '../src/cli/command.ts'
import { buildEditorScripts } from './build-editor.ts'
import { buildPage } from './build-page.ts'
import { mirror } from './support/mirror.ts'
import { fail } from '../src/cli/terminal.ts'

const home = dirname(import.meta.dirname)
/** What Node-RED loads as modules of its own. */
const MODULES = ['src/nodes', 'src/plugins']

/** Builds the distribution into `dist/`, which stays whole meanwhile: a process that runs from it does not notice. */
export async function build(): Promise<void> {
  const next = mkdtempSync(join(home, 'node_modules', '.node-red-tcp-build-'))
  try {
    for (const name of MODULES) cpSync(join(home, name), join(next, name), { recursive: true, filter: (path) => extname(path) !== '.ts' })
    await Promise.all([compile(next), buildPage(join(next, 'page')), ...MODULES.map((name) => buildEditorScripts(name, join(next, name)))])
    mirror(next, join(home, 'dist'))
  } finally {
    rmSync(next, { recursive: true, force: true })
  }
}

async function compile(folder: string): Promise<void> {
  const tsc = join(home, 'node_modules', 'typescript', 'bin', 'tsc')
  await output(process.execPath, [tsc, '--project', join(home, 'tsconfig.build.json'), '--outDir', folder]).catch(
    (error: { stdout?: string; message: string }) => {
      throw new Error(error.stdout || error.message)
    },
  )
}

if (import.meta.main) await build().catch(fail)
