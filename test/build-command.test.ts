import { execFileSync } from 'node:child_process'
import { mkdtempDisposableSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { buildCommand } from '../scripts/build-command.ts'

const home = join(import.meta.dirname, '..')

function run(folder: string, file: string, args: string[] = []): string {
  return execFileSync(process.execPath, [join(folder, file), ...args], { encoding: 'utf8' })
}

test('npm run ports is one file, and needs the packages that are named beside it', async () => {
  using folder = mkdtempDisposableSync(join(tmpdir(), 'command-'))
  await buildCommand('scripts/ports.ts', folder.path)
  symlinkSync(join(home, 'node_modules'), join(folder.path, 'node_modules'))
  const { dependencies } = JSON.parse(readFileSync(join(folder.path, 'package.json'), 'utf8')) as { dependencies: object }
  expect(dependencies).toHaveProperty('dockerode')
  expect(run(folder.path, 'ports.js', ['--help'])).toContain('npm run ports')
})

test('what a command imports comes along, whichever room or package it is in', async () => {
  using folder = mkdtempDisposableSync(join(tmpdir(), 'command-'))
  symlinkSync(join(home, 'node_modules'), join(folder.path, 'node_modules'))
  const entry = join(folder.path, 'hello.ts')
  writeFileSync(
    entry,
    `import { createBackoff } from '${home}/src/tcp/backoff.ts'\nimport { parse } from 'yaml'\nconst { z } = await import('zod')\n` +
      `console.log(typeof createBackoff, parse('a: 1').a, z.string().parse('text'))`,
  )
  const out = join(folder.path, 'out')
  await buildCommand(entry, out)
  const { dependencies } = JSON.parse(readFileSync(join(out, 'package.json'), 'utf8')) as { dependencies: object }
  expect(Object.keys(dependencies)).toEqual(['yaml', 'zod'])
  expect(run(out, 'hello.js')).toBe('function 1 text\n')
})
