import { execFile } from 'node:child_process'
import { appendFile, cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'

const home = dirname(import.meta.dirname)
const TREE = ['settings.ts', 'src', 'scripts', 'test', 'bench', 'docs', 'package.json', 'tsconfig.json']
const TIMEOUT_MS = 120_000

// Imports that the table of rooms forbids, each put into a copy of the sources.
const ADDED = [
  { kind: 'a value', file: 'src/text/hex.ts', code: `import '../tcp/encoding.ts'`, fault: 'text may not import tcp' },
  {
    kind: 'a type alone',
    file: 'src/storage/atomic-file.ts',
    code: `import type { Framing } from '../tcp/framing/framing.ts'\nexport type Cut = Framing`,
    fault: 'storage may not import tcp',
  },
  {
    kind: 'a dynamic import',
    file: 'src/tcp/errors.ts',
    code: `export const later = () => import('../ports/ranges.ts')`,
    fault: 'tcp may not import ports',
  },
  { kind: 'Node.js in the browser', file: 'src/assistant/shared/rules.ts', code: `import 'node:fs'`, fault: 'there is no Node.js' },
  {
    kind: 'a circle of types',
    file: 'src/tcp/framing/framing.ts',
    code: `import type { createFramer } from './create-framer.ts'\nexport type Create = typeof createFramer`,
    fault: 'src/tcp/framing/create-framer.ts',
  },
  { kind: 'a room that has no name', file: 'src/attic/box.ts', code: `import '../text/hex.ts'`, fault: 'src/attic/box.ts is in no room' },
]

let tree: string
let output: string

beforeAll(async () => {
  tree = await mkdtemp(join(tmpdir(), 'rooms-'))
  for (const name of TREE) await cp(join(home, name), join(tree, name), { recursive: true })
  await symlink(join(home, 'node_modules'), join(tree, 'node_modules'))
  await cp(join(tree, 'src/text'), join(tree, 'src/attic'), { recursive: true })
  for (const { file, code } of ADDED) await appendFile(join(tree, file), `\n${code}\n`)
  const page = join(tree, 'src/assistant/page/App.vue')
  const setup = '<script setup lang="ts">'
  await writeFile(page, (await readFile(page, 'utf8')).replace(setup, `${setup}\nimport type { Hub } from '../engine/hub.ts'`))
  output = await checkRooms(tree)
}, TIMEOUT_MS)

afterAll(() => rm(tree, { recursive: true }))

test(
  'what imports what is as the table of rooms and its picture say',
  async () => {
    expect(await checkRooms(home)).toBe('')
  },
  TIMEOUT_MS,
)

test.each(ADDED)('$kind that is forbidden is found', ({ file, fault }) => {
  const lines = output.split('\n').filter((line) => line.includes(file))
  expect(lines.join('\n')).toContain(fault)
})

test('a type that a .vue file may not import is found', () => {
  expect(output).toContain('src/assistant/page/App.vue imports src/assistant/engine/hub.ts: assistant/page may not import assistant/engine')
})

test('a picture that is not current is found', () => {
  expect(output).toContain('docs/architecture.md does not show the rooms as they are')
})

/** What the check says of a tree: nothing when all is well. */
function checkRooms(cwd: string): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile(process.execPath, [join(home, 'scripts/rooms.ts')], { cwd }, (error, stdout, stderr) => {
      if ((error === null) !== (stderr === '')) reject(new Error(`exit code and output do not fit: ${stderr}`, { cause: error }))
      else resolve(stdout + stderr)
    })
  })
}
