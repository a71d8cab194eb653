import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { launchBrowser } from '../support/browser.ts'
import { followGuide } from './chapters.ts'
import { buildDistribution, LANGUAGES, LOCALES, startDistribution, WINDOW } from './distribution.ts'
import { Pictures } from './pictures.ts'
import { run } from '../../src/cli/command.ts'
import { say } from '../../src/cli/terminal.ts'

const home = dirname(dirname(import.meta.dirname))
const images = join(home, 'docs', 'guide', 'images')

/** Follows docs/guide in a browser, in both languages, and puts its pictures in place of those that are there. */
export async function takePictures(): Promise<void> {
  // Who names a browser has one.
  if (!process.env.CHROMIUM) await run('bash', [join(home, 'scripts', 'test-tools.sh')])
  const runs = await buildDistribution()
  const browser = await launchBrowser()
  try {
    for (const language of LANGUAGES) {
      await using distribution = await startDistribution(runs)
      const taken = mkdtempSync(join(tmpdir(), 'node-red-tcp-guide-'))
      const pictures = new Pictures(taken)
      const context = await browser.newContext({ locale: LOCALES[language], timezoneId: 'UTC', viewport: WINDOW })
      await followGuide(context, distribution, pictures)
      await context.close()
      // Only now: a step that fails leaves the pictures that are there.
      const folder = join(images, language)
      rmSync(folder, { recursive: true, force: true })
      cpSync(taken, folder, { recursive: true })
      rmSync(taken, { recursive: true })
      say(`${pictures.taken.length} pictures in docs/guide/images/${language}, taken from a ${runs}`)
    }
  } finally {
    await browser.close()
  }
}
