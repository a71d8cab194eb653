// Builds the image and those of live ports: `node image.ts TAG`. A process of its own, because the engine's answer goes to its standard output, where the bench has its table.
import { baseImage, provideBaseImage } from '../scripts/support/base-image.ts'
import { fail } from '../src/cli/terminal.ts'
import { buildImages } from '../test/support/engine.ts'

try {
  await provideBaseImage(baseImage)
  await buildImages(process.argv[2] ?? '')
} catch (error) {
  fail(error)
}
