// Compiles to dist/ and puts beside it what Node-RED wants beside a node or plugin: dialogs and their texts. `npm run check` looks at types.
import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { dirname, extname, join } from 'node:path'
import { output } from '../src/cli/command.ts'
import { buildPage } from './build-page.ts'
import { mirror } from './support/mirror.ts'
import { fail } from '../src/cli/terminal.ts'

const home = dirname(import.meta.dirname)
const ASSET_FOLDERS = ['src/nodes', 'src/plugins']

/** Builds the distribution into `dist/`, which stays whole meanwhile: a process that runs from it does not notice. */
export async function build(): Promise<void> {
  const next = mkdtempSync(join(home, 'node_modules', '.node-red-tcp-build-'))
  try {
    await Promise.all([compile(next), buildPage(join(next, 'page'))])
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
  for (const name of ASSET_FOLDERS) {
    cpSync(join(home, name), join(folder, name), { recursive: true, filter: (path) => extname(path) !== '.ts' })
  }
}

if (import.meta.main) await build().catch(fail)
