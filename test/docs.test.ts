import { cpSync, existsSync, globSync, mkdtempSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { parseScenario } from '../src/assistant/scenario/parse.ts'
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

const PAGES = globSync(['*.md', 'docs/**/*.md'], { cwd: home })
const chineseOf = (page: string) => page.replace(/\.md$/, '.zh-CN.md')

test('links between the documents lead somewhere', () => {
  expect(PAGES).toContain('docs/configuration.zh-CN.md')
  for (const name of PAGES) {
    for (const { path, anchor } of linksOf(name)) {
      const target = path === '' ? join(home, name) : join(home, dirname(name), path)
      expect.soft(existsSync(target), `${name}: ${path}`).toBe(true)
      if (anchor && target.endsWith('.md')) expect.soft(anchorsOf(target), `${name}: ${path}#${anchor}`).toContain(anchor)
    }
  }
})

// For those who work on the project.
const ENGLISH_ONLY = ['CHANGELOG.md', 'CONTRIBUTING.md', 'docs/architecture.md', 'docs/benchmarks.md']

test('every page for users is there in Chinese, too', () => {
  const english = PAGES.filter((page) => !page.endsWith('.zh-CN.md') && !ENGLISH_ONLY.includes(page))
  expect(english.length).toBeGreaterThan(15)
  expect(PAGES).toEqual(expect.arrayContaining(english.map(chineseOf)))
})

test('Chinese pages lead to Chinese pages where there are any', () => {
  for (const name of PAGES.filter((page) => page.endsWith('.zh-CN.md'))) {
    const ways = linksOf(name).map(({ path }) => join(dirname(name), path))
    const english = ways.filter((way) => chineseOf(way) !== name && PAGES.includes(chineseOf(way)))
    expect.soft(english, name).toEqual([])
  }
})

test.each(['README.md', 'README.zh-CN.md'])('%s is short, and leads to every page of its language', (name) => {
  const chinese = name.includes('zh-CN')
  expect(readFileSync(join(home, name), 'utf8').split('\n').length).toBeLessThanOrEqual(200)
  const pages = PAGES.filter((page) => page.startsWith('docs/') && page.includes('zh-CN') === chinese)
  expect(linksOf(name).map(({ path }) => path)).toEqual(expect.arrayContaining(pages))
})

function linksOf(page: string): { path: string; anchor: string | undefined }[] {
  const text = readFileSync(join(home, page), 'utf8').replace(/^```.*?^```$/gms, '')
  return [...text.matchAll(/\]\((?!https?:)([^)#]*)(?:#([^)]*))?\)/g)].map(([, path = '', anchor]) => ({ path, anchor }))
}

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

describe('the pages on scenario files', () => {
  const pages = PAGES.filter((page) => page.startsWith('docs/scenario-files'))
  const fencesOf = (page: string, language: string, mark: string) =>
    [...readFileSync(join(home, page), 'utf8').matchAll(new RegExp(`^\`\`\`${language} test=${mark}\\n(.*?)^\`\`\`$`, 'gms'))].map(
      ([, body = '']) => body,
    )

  test.each(pages)('the examples of %s can be played', (page) => {
    const examples = fencesOf(page, 'yaml', 'scenario')
    expect(examples.length).toBeGreaterThanOrEqual(5)
    for (const example of examples) expect(parseScenario(example, { file: page }).steps.length).toBeGreaterThan(0)
  })

  test.each(pages)('the mistakes of %s are those that are reported', (page) => {
    const [example, ...others] = fencesOf(page, 'yaml', 'mistakes')
    expect(others).toEqual([])
    const reported = fencesOf(page, 'text', 'mistakes').join('').trim()
    expect(() => parseScenario(example!, { file: 'my-test.yaml' })).toThrow(expect.objectContaining({ message: reported }))
  })

  // What the parser itself lists when it meets a key that it does not know.
  const unknown = (peer: string, step: string, top = '') => `peers: { a: { client: 1${peer} } }\nsteps: [{ ${step} }]${top}`
  test.each(pages)('%s names every key that there is', (page) => {
    const known = [
      unknown('', 'wait: 1', '\nunknown: 1'),
      unknown(', unknown: 1', 'wait: 1'),
      ...['send: x', 'expect: x', 'silence: 1', 'wait: 1', 'open: a', 'close: a', 'connected: a', 'closed: a'].map((step) =>
        unknown('', `${step}, unknown: 1`),
      ),
      unknown('', 'send: { text: x, unknown: 1 }'),
      unknown('', 'expect: { text: x, unknown: 1 }'),
      unknown('', 'repeat: 1, steps: [{ wait: 1 }], unknown: 1'),
    ].flatMap(keysIn)
    expect(new Set(known).size).toBeGreaterThan(25)
    const text = readFileSync(join(home, page), 'utf8')
    for (const key of new Set(known)) expect.soft(text, key).toContain(`\`${key}\``)
  })
})

function keysIn(scenario: string): string[] {
  try {
    parseScenario(scenario, { file: 'a.yaml' })
  } catch (error) {
    const listed = /unknown: not known here; there are: (.*)/.exec((error as Error).message)?.[1]
    if (listed !== undefined) return listed.split(', ')
  }
  throw new Error(`no key is refused in ${scenario}`)
}

test('the pages on the assistant have the options of its command', async () => {
  const optionsIn = (text: string) => new Set([...text.matchAll(/(?<![\w-])--[a-z][a-z-]*/g)].map(([option]) => option))
  const there = optionsIn(await output(process.execPath, [join(home, 'scripts', 'assistant.ts'), '--help']))
  there.delete('--help')
  expect(there.size).toBeGreaterThan(30)
  for (const page of PAGES.filter((name) => /^docs\/assistant\b/.test(name))) {
    const named = optionsIn(readFileSync(join(home, page), 'utf8'))
    for (const option of ['--silent', '--help']) named.delete(option)
    expect.soft([...named].toSorted(), page).toEqual([...there].toSorted())
  }
})
