import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'
import { output } from '../src/cli/command.ts'

const home = dirname(import.meta.dirname)

test('what the docs tell people to create is not committed by accident', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'node-red-tcp-'))
  await output('git', ['init', '--quiet', folder])
  cpSync(join(home, '.gitignore'), join(folder, '.gitignore'))
  const created = [
    '.env',
    'docker-compose.override.yml',
    'my-flows/line.json',
    'certs/fullchain.pem',
    'certs/privkey.pem',
    'ca.pem',
    'admin-password.txt',
    'node-red-tcp-data.tgz',
    'data/flows.json',
  ]
  const ignored = await output('git', ['-C', folder, 'check-ignore', '--no-index', ...created])
  expect(ignored.split('\n')).toEqual(created)
})

test('links between the documents lead somewhere', () => {
  const documents = ['README.md', 'README.zh-CN.md', ...readdirSync(join(home, 'docs')).map((name) => `docs/${name}`)].filter((name) =>
    name.endsWith('.md'),
  )
  for (const name of documents) {
    const text = readFileSync(join(home, name), 'utf8')
    for (const [, path = '', anchor] of text.matchAll(/\]\((?!https?:)([^)#]*)(?:#([^)]*))?\)/g)) {
      const target = path === '' ? join(home, name) : join(home, dirname(name), path)
      expect.soft(existsSync(target), `${name}: ${path}`).toBe(true)
      if (anchor && target.endsWith('.md')) expect.soft(anchorsOf(target), `${name}: ${path}#${anchor}`).toContain(anchor)
    }
  }
})

/** As GitHub makes them of headings. */
function anchorsOf(path: string): string[] {
  const headings = readFileSync(path, 'utf8').matchAll(/^#+ (.+)$/gm)
  return [...headings].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .replaceAll(' ', '-'),
  )
}

test.each(['README.md', 'README.zh-CN.md'])('%s leads to the production list', (name) => {
  expect(readFileSync(join(home, name), 'utf8')).toMatch(/\]\(docs\/production(\.zh-CN)?\.md\)/)
})
