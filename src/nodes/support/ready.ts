import { memoryLimit } from '../../tcp/memory.ts'
import { budget } from '../../tcp/registry.ts'
import { guardDeploys } from './deploy-guard.ts'
import type { NodeRed } from './node-red.ts'
import { watchSignals } from './shutdown.ts'

let ready = false

/** What all tcp nodes need once per process. */
export function makeReady(RED: NodeRed): void {
  if (ready) return
  ready = true
  budget.limit = memoryLimit(RED.settings.tcp?.memory)
  guardDeploys(RED)
  watchSignals()
}
