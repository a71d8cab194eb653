import { Budget } from './budget.ts'
import { createClaims } from './claims.ts'
import { createCounters } from './counters.ts'
import { createDescriptors } from './descriptors.ts'
import { memoryLimit } from './memory.ts'
import { createOrphanLists } from './orphans.ts'
import { createRegistry, type Registry, type RegistryParts } from './registry.ts'
import { createRelays } from './relays.ts'
import { createShortcuts } from './shortcuts.ts'

/** The state that all TCP nodes share and that status and diagnosis read. No module keeps any of it. */
export type Engine = Registry & RegistryParts

/** Makes a TCP engine. Its budget defaults to `memoryLimit`. */
export function createEngine(): Engine {
  const parts = {
    budget: new Budget(memoryLimit(undefined)),
    claims: createClaims(),
    counters: createCounters(),
    descriptors: createDescriptors(),
    orphans: createOrphanLists(),
    relays: createRelays(),
    shortcuts: createShortcuts(),
  }
  return { ...parts, ...createRegistry(parts) }
}
