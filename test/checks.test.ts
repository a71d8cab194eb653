import { execFile } from 'node:child_process'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { test } from 'vitest'

const run = promisify(execFile)
const home = dirname(import.meta.dirname)
// They read every file; on a machine with much else to do that takes its time.
const TIMEOUT_MS = 300_000

test.each([
  ['the types fit', ['typescript/bin/tsc']],
  ['the types of the page fit', ['vue-tsc/bin/vue-tsc.js', '-p', 'src/assistant/page']],
  ['the linter finds nothing', ['eslint/bin/eslint.js', '--flag', 'unstable_native_nodejs_ts_config', '--max-warnings', '0', '.']],
  ['the format is right', ['prettier/bin/prettier.cjs', '--check', '.']],
])(
  '%s',
  async (_name, [program = '', ...args]) => {
    await run(process.execPath, [join(home, 'node_modules', program), ...args], { cwd: home }).catch(
      (error: { stdout: string; stderr: string }) => {
        throw new Error(`${error.stdout}\n${error.stderr}`)
      },
    )
  },
  TIMEOUT_MS,
)
