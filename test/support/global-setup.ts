import type { TestProject } from 'vitest/node'
import { build } from '../../scripts/build.ts'
import { provideBaseImage } from '../../scripts/base-image.ts'
import { buildImages, cleanUp, engineAnswers, TEST_IMAGE } from './engine.ts'

/** Once per run: compiles the distribution and builds its image. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  // testcontainers' own cleaner is an image of its own, which can not be pulled everywhere; the label does its work.
  process.env.TESTCONTAINERS_RYUK_DISABLED = 'true'
  // `localhost` is two addresses, and an engine may publish a container's port under another number for the second one: what stands there
  // under this number is somebody else's.
  process.env.TESTCONTAINERS_HOST_OVERRIDE ||= '127.0.0.1'
  await build()
  const docker = await engineAnswers()
  if (docker) {
    await cleanUp()
    await provideBaseImage(process.env.BASE_IMAGE || 'node:24-bookworm-slim')
    await buildImages(TEST_IMAGE)
  }
  project.provide('docker', docker)
  project.provide('image', TEST_IMAGE)
  return async () => {
    if (docker) await cleanUp()
  }
}

declare module 'vitest' {
  interface ProvidedContext {
    docker: boolean
    image: string
  }
}
