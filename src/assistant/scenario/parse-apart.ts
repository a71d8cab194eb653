// Reads scenario files in a thread of its own: what somebody sends to a server must not keep it from anything else.
import { extname } from 'node:path'
import { Worker } from 'node:worker_threads'
import { ScenarioError, type Mistake, type Scenario } from './model.ts'
import type { Source } from './parse.ts'

const MAX_MS = 10_000
const MAX_MIB = 256

export type Parsed = { scenario: Scenario } | { mistakes: readonly Mistake[] } | { failure: string }

/** @throws ScenarioError */
export async function parseApart(text: string, source: Source): Promise<Scenario> {
  const worker = new Worker(new URL(`./parse-worker${extname(import.meta.filename)}`, import.meta.url), {
    workerData: { text, source },
    env: {},
    execArgv: [],
    resourceLimits: { maxOldGenerationSizeMb: MAX_MIB },
  })
  const tooMuch = (why: string) => ({ mistakes: [{ line: 1, key: '', text: `${why}: make it smaller or simpler` }] })
  const timer = AbortSignal.timeout(MAX_MS)
  const parsed = await new Promise<Parsed>((resolve, reject) => {
    worker.once('message', resolve)
    worker.once('error', (error: NodeJS.ErrnoException) =>
      error.code === 'ERR_WORKER_OUT_OF_MEMORY' ? resolve(tooMuch(`reading it takes more than ${MAX_MIB} MiB`)) : reject(error),
    )
    timer.addEventListener('abort', () => resolve(tooMuch(`reading it takes more than ${MAX_MS / 1000} s`)))
  }).finally(() => void worker.terminate())
  if ('scenario' in parsed) return parsed.scenario
  if ('failure' in parsed) throw new Error(parsed.failure)
  throw new ScenarioError(source.file, parsed.mistakes)
}
