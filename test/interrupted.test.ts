import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'
import { docker } from './support/containers.ts'
import { describeContainer } from './support/runtimes.ts'

const home = dirname(import.meta.dirname)
// It builds all images first, if only to find them unchanged.
const START_TIMEOUT_MS = 120_000

describeContainer('npm test', () => {
  test(
    'leaves nothing behind when it is interrupted',
    async () => {
      const env = { ...process.env, NODE_RED_TCP_TEST_RUN: undefined, VITEST: undefined, VITEST_MODE: undefined }
      const args = [join(home, 'scripts', 'test.ts'), 'test/scenarios.test.ts', '-t', 'container']
      const nested = spawn(process.execPath, args, { cwd: home, env, stdio: 'ignore' })
      const left = async () =>
        (await docker('ps', '--all', '--quiet', '--filter', `label=node-red-tcp.test=node-red-tcp-test-${nested.pid}`)).length
      await expect.poll(left, { timeout: START_TIMEOUT_MS, interval: 100 }).toBeGreaterThan(0)
      nested.kill('SIGINT')
      await once(nested, 'exit')
      expect(await left()).toBe(0)
    },
    2 * START_TIMEOUT_MS,
  )
})
