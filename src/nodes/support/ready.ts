import type { ProcessState } from '../../process/state.ts'
import { memoryLimit } from '../../tcp/memory.ts'
import { guardDeploys } from './deploy-guard.ts'
import type { NodeRed } from './node-red.ts'
import { createShared, type Shared } from './shared.ts'
import { watchSignals } from './shutdown.ts'

let shared: Shared | undefined

/** What all tcp nodes need once per process, made by the first of them. */
export function makeReady(RED: NodeRed, state: ProcessState): Shared {
  if (shared) return shared
  state.engine.budget.limit = memoryLimit(RED.settings.tcp?.memory)
  guardDeploys(RED, state.engine)
  watchSignals()
  return (shared = createShared(state))
}
