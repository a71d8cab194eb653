import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { followGuide } from './guide/chapters.ts'
import { LANGUAGES, LOCALES, startDistribution, WINDOW } from './guide/distribution.ts'
import { Pictures } from './guide/pictures.ts'
import { launchBrowser } from './support/browser.ts'
import { freePort } from '../src/testing/free-port.ts'
import { hasDocker } from './support/runtimes.ts'

const GUIDE = join(dirname(import.meta.dirname), 'docs', 'guide')
const PAGES = { en: 'README.md', zh: 'README.zh-CN.md' }
const MAX_BYTES = 4 * 1024 * 1024

const imagesIn = (language: 'en' | 'zh') => readdirSync(join(GUIDE, 'images', language)).toSorted()
const textOf = (language: 'en' | 'zh') => readFileSync(join(GUIDE, PAGES[language]), 'utf8')
const linksIn = (text: string) =>
  [...text.matchAll(/\]\(([^)#\s]+)[^)]*\)/g)].map(([, link]) => link!).filter((link) => !/^https?:/.test(link))
const portsOf = async () => ({
  tcpInServer: await freePort(),
  tcpOutServer: await freePort(),
  tcpResponse: await freePort(),
  tcpInClient: await freePort(),
  tcpOutClient: await freePort(),
})

describe('the illustrated guide', { timeout: 240_000 }, () => {
  let browser: Browser
  beforeAll(async () => {
    browser = await launchBrowser()
  })
  afterAll(async () => await browser?.close())

  for (const language of LANGUAGES) {
    test(`every step of it works in ${language}, and gives the pictures that are there`, async () => {
      await using distribution = hasDocker()
        ? await startDistribution('container', { image: inject('image') })
        : await startDistribution('process', { ports: await portsOf() })
      const folder = mkdtempSync(join(tmpdir(), 'node-red-tcp-'))
      const pictures = new Pictures(folder)
      const context = await browser.newContext({ locale: LOCALES[language], timezoneId: 'UTC', viewport: WINDOW })
      context.setDefaultTimeout(20_000)
      try {
        await followGuide(context, distribution, pictures)
      } finally {
        await context.close()
        rmSync(folder, { recursive: true, force: true })
      }
      expect(pictures.taken.toSorted()).toEqual(imagesIn(language))
    })

    test(`every picture of ${language} is in its page with a text, and every link leads somewhere`, () => {
      const text = textOf(language)
      const shown = [...text.matchAll(/!\[([^\]]+)\]\(images\/(\w+)\/([\w-]+\.png)\)/g)]
      expect(shown.map(([, , folder]) => folder)).toEqual(shown.map(() => language))
      expect(shown.map(([, , , name]) => name!).toSorted()).toEqual(imagesIn(language))
      for (const link of linksIn(text)) expect.soft(existsSync(join(GUIDE, link)), link).toBe(true)
    })
  }

  test('both languages have the same chapters and pictures, in the same order', () => {
    const outline = (text: string) =>
      [...text.matchAll(/^(#+) |!\[[^\]]*\]\((\S+)\)/gm)].map(([, level, image]) => level ?? basename(image!))
    expect(outline(textOf('zh'))).toEqual(outline(textOf('en')))
  })

  test('the pictures are small', () => {
    const sizes = LANGUAGES.flatMap((language) => imagesIn(language).map((name) => statSync(join(GUIDE, 'images', language, name)).size))
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThanOrEqual(MAX_BYTES)
  })
})
