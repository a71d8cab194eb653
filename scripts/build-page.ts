// Builds the page of the assistant, src/assistant/page/, into dist/page or another folder.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { brotliCompressSync } from 'node:zlib'
import { output } from '../src/cli/command.ts'
import { fail } from '../src/cli/terminal.ts'

const home = dirname(import.meta.dirname)

export async function buildPage(folder: string): Promise<void> {
  const vite = join(home, 'node_modules', 'vite', 'bin', 'vite.js')
  await output(process.execPath, [
    vite,
    'build',
    join(home, 'src', 'assistant', 'page'),
    '--outDir',
    folder,
    '--emptyOutDir',
    '--logLevel',
    'error',
  ]).catch((error: { stderr?: string; message: string }) => {
    throw new Error(error.stderr || error.message)
  })
  const assets = join(folder, 'assets')
  for (const name of readdirSync(assets)) {
    if (/\.(js|css|svg)$/.test(name)) writeFileSync(join(assets, `${name}.br`), brotliCompressSync(readFileSync(join(assets, name))))
  }
}

if (import.meta.main) await buildPage(join(home, 'dist', 'page')).catch(fail)
