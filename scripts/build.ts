// Compiles to dist/ and puts beside it what Node-RED wants beside a node or plugin: dialogs and their texts.
import { cpSync, existsSync } from 'node:fs'
import { dirname, extname, join } from 'node:path'
import { output } from './support/command.ts'
import { fail } from './support/terminal.ts'

const home = dirname(import.meta.dirname)
const ASSET_FOLDERS = ['nodes', 'plugins']

/** Builds the distribution into `dist/`. */
export async function build(): Promise<void> {
  // The image builds the page in a stage of its own.
  await Promise.all([compile(), existsSync(join(home, 'web')) && (await import('./build-page.ts')).buildPage()])
}

async function compile(): Promise<void> {
  const tsc = join(home, 'node_modules', 'typescript', 'bin', 'tsc')
  await output(process.execPath, [tsc, '--project', join(home, 'tsconfig.build.json')]).catch(
    (error: { stdout?: string; message: string }) => {
      throw new Error(error.stdout || error.message)
    },
  )
  for (const folder of ASSET_FOLDERS) {
    const source = join(home, folder)
    if (existsSync(source)) cpSync(source, join(home, 'dist', folder), { recursive: true, filter: (path) => extname(path) !== '.ts' })
  }
}

if (import.meta.main) await build().catch(fail)
