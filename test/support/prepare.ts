import { build } from '../../scripts/build.ts'
import { provideBaseImage } from '../../scripts/base-image.ts'
import { buildImages, cleanUp, TEST_IMAGE } from './engine.ts'

/** What every suite needs: the compiled distribution and, where a Docker engine answers, its images and none of what earlier runs left. */
export async function prepare({ docker }: { docker: boolean }): Promise<void> {
  await build()
  if (!docker) return
  await cleanUp()
  await provideBaseImage(process.env.BASE_IMAGE || 'node:24-bookworm-slim')
  await buildImages(TEST_IMAGE)
}
