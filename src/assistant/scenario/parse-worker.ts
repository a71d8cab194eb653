import { parentPort, workerData } from 'node:worker_threads'
import { ScenarioError } from './model.ts'
import type { Parsed } from './parse-apart.ts'
import { parseScenario, type Source } from './parse.ts'

const { text, source } = workerData as { text: string; source: Source }

function parse(): Parsed {
  try {
    return { scenario: parseScenario(text, source) }
  } catch (error) {
    return error instanceof ScenarioError ? { mistakes: error.mistakes } : { failure: String((error as Error).stack) }
  }
}

parentPort?.postMessage(parse())
