import { build } from '../../scripts/build.ts'
import { baseImage, provideBaseImage } from '../../scripts/support/base-image.ts'
import { buildImages, cleanUp, TEST_IMAGE } from './engine.ts'

/** What every suite needs: the compiled distribution and, where a Docker engine answers, its images and none of what earlier runs left. */
export async function prepare({ docker }: { docker: boolean }): Promise<void> {
  await build()
  if (!docker) return
  await cleanUp()
  await provideBaseImage(baseImage)
  await buildImages(TEST_IMAGE)
}
