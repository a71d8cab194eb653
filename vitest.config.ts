import { globSync, readFileSync } from 'node:fs'
import { defineConfig } from 'vitest/config'
import { BaseSequencer, type TestSpecification } from 'vitest/node'

// Chromium breaks off what it is about to load when an interface of the machine comes or goes, as Docker's do with every container. So
// the suites with a browser come last, one at a time, where they are not in a network of their own (test/support/test-parts.ts).
const BROWSER = ['test/assistant/page*.test.ts', 'test/editor/*.test.ts', 'test/dashboard.test.ts', 'test/guide.test.ts']
// What they have that is to be played on a container, alone or too.
const BROWSER_CONTAINER = ['test/dashboard.test.ts', 'test/guide.test.ts']
const inBrowser =
  {
    embedded: BROWSER.filter((suite) => suite !== 'test/guide.test.ts'),
    container: BROWSER_CONTAINER,
  }[process.env.NODE_RED_TCP_TEST_RUNTIME ?? ''] ?? BROWSER

// Suites that start nothing but processes of this host, and do not name what would start more.
const CONTAINERS = /docker|describeRuntimes|describeContainer|newContainer/i
// What npm run check does, too: it has two processors busy for a minute.
const CHECKS = 'test/checks.test.ts'
const local = globSync('test/**/*.test.ts', { exclude: [...BROWSER, CHECKS] }).filter(
  (suite) => !CONTAINERS.test(readFileSync(suite, 'utf8')),
)

// Begun late, each would keep one processor waiting for it alone. Of the others the largest files come first.
const LONG = ['ports/watch-faults', 'nodes/defects', 'image', 'third-party', 'ports/engine-restart', 'ports/doctor', 'ports/watch', 'login']

class LongFirst extends BaseSequencer {
  override async sort(suites: TestSpecification[]): Promise<TestSpecification[]> {
    const isLong = ({ moduleId }: TestSpecification) => LONG.some((name) => moduleId.endsWith(`/test/${name}.test.ts`))
    return Array.from(await super.sort(suites)).toSorted((a, b) => Number(isLong(b)) - Number(isLong(a)))
  }
}

const common = {
  pool: 'threads',
  // What is waited for comes late on a busy machine; the default is a second.
  expect: { poll: { timeout: 10_000 } },
  testTimeout: 60_000,
  hookTimeout: 120_000,
} as const

export default defineConfig({
  test: {
    globalSetup: ['test/support/global-setup.ts'],
    sequence: { sequencer: LongFirst },
    projects: [
      { test: { ...common, name: 'local', include: local, maxWorkers: 2, sequence: { groupOrder: 0 } } },
      { test: { ...common, name: 'checks', include: [CHECKS], maxWorkers: 1, sequence: { groupOrder: 0 } } },
      {
        // Much of it is waiting for containers.
        test: {
          ...common,
          name: 'containers',
          include: ['test/**/*.test.ts'],
          exclude: [...BROWSER, CHECKS, ...local],
          maxWorkers: 3,
          sequence: { groupOrder: 1 },
        },
      },
      { test: { ...common, name: 'browser', include: inBrowser, maxWorkers: 1, sequence: { groupOrder: 2 } } },
    ],
  },
})
