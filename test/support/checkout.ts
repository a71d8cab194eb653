import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { output } from '../../src/cli/command.ts'

const home = dirname(dirname(import.meta.dirname))

/** A clean copy of this checkout as a clone would have it: the files git tracks or would add, nothing that was installed or built. */
export async function createCheckout(): Promise<{ folder: string } & AsyncDisposable> {
  const folder = mkdtempSync(join(tmpdir(), 'node-red-tcp-'))
  await output(
    'sh',
    ['-c', 'git ls-files -z --cached --others --exclude-standard | xargs -0 cp --parents --target-directory "$0"', folder],
    { cwd: home },
  )
  return {
    folder,
    [Symbol.asyncDispose]: async () => {
      rmSync(folder, { recursive: true, force: true })
      await Promise.resolve()
    },
  }
}
