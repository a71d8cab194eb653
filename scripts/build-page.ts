// Builds the page of the assistant, web/, into dist/web.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { brotliCompressSync } from 'node:zlib'
import { output } from './support/command.ts'
import { fail } from './support/terminal.ts'

const home = dirname(import.meta.dirname)

export async function buildPage(): Promise<void> {
  const vite = join(home, 'node_modules', 'vite', 'bin', 'vite.js')
  await output(process.execPath, [vite, 'build', join(home, 'web'), '--logLevel', 'error']).catch(
    (error: { stderr?: string; message: string }) => {
      throw new Error(error.stderr || error.message)
    },
  )
  const assets = join(home, 'dist', 'web', 'assets')
  for (const name of readdirSync(assets)) {
    if (/\.(js|css|svg)$/.test(name)) writeFileSync(join(assets, `${name}.br`), brotliCompressSync(readFileSync(join(assets, name))))
  }
}

if (import.meta.main) await buildPage().catch(fail)
