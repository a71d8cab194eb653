// Builds the image and those of live ports: `node image.ts TAG`. A process of its own, because the engine's answer goes to its standard output, where the bench has its table.
import { provideBaseImage } from '../scripts/base-image.ts'
import { fail } from '../src/cli/terminal.ts'
import { buildImages } from '../test/support/engine.ts'

try {
  await provideBaseImage(process.env.BASE_IMAGE || 'node:24-bookworm-slim')
  await buildImages(process.argv[2] ?? '')
} catch (error) {
  fail(error)
}
