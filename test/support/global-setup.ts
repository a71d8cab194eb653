import type { TestProject } from 'vitest/node'
import { cleanUp, engineAnswers, TEST_IMAGE } from './engine.ts'
import { prepare } from './prepare.ts'

/** Once per run of vitest. `npm test` has done the work already, for all its parts, and cleans up after the last of them. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  // testcontainers' own cleaner is an image of its own, which cannot be pulled everywhere; the label does its work.
  process.env.TESTCONTAINERS_RYUK_DISABLED = 'true'
  // `localhost` is two addresses, and an engine may publish a container's port under another number for the second one: what stands there
  // under this number is somebody else's.
  process.env.TESTCONTAINERS_HOST_OVERRIDE ||= '127.0.0.1'
  const docker = await engineAnswers()
  const isPart = process.env.NODE_RED_TCP_TEST_PREPARED === '1'
  if (!isPart) await prepare({ docker })
  project.provide('docker', docker)
  project.provide('image', TEST_IMAGE)
  return async () => {
    if (docker && !isPart) await cleanUp()
  }
}

declare module 'vitest' {
  interface ProvidedContext {
    docker: boolean
    image: string
  }
}
