import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'

const locales = join(dirname(dirname(import.meta.dirname)), 'src', 'plugins', 'locales')

/** Every text of a catalog by its key, with the values that it names. */
function textsOf(language: string): Record<string, string[]> {
  const found: Record<string, string[]> = {}
  const visit = (entry: unknown, key: string) => {
    if (typeof entry === 'string') found[key] = [...new Set(entry.match(/__\w+?__/g))].sort()
    else for (const [name, inner] of Object.entries(entry as object)) visit(inner, `${key}.${name}`)
  }
  visit(JSON.parse(readFileSync(join(locales, language, 'ports.json'), 'utf8')), '')
  return found
}

test('both languages have the same texts about ports, with the same values', () => {
  expect(textsOf('zh-CN')).toEqual(textsOf('en-US'))
})
