import { Budget } from './budget.ts'
import { createClaims } from './claims.ts'
import { createCounters } from './counters.ts'
import { createDescriptors } from './descriptors.ts'
import { memoryLimit } from './memory.ts'
import { createOrphanLists } from './orphans.ts'
import { createRegistry, type Registry, type RegistryParts } from './registry.ts'
import { createRelays } from './relays.ts'
import { createShortcuts } from './shortcuts.ts'

/** All that TCP nodes share, and that others look at. The files that make it keep nothing of it. */
export type Engine = Registry & RegistryParts

/** A TCP engine of its own. Its budget is what `memoryLimit` allows where nothing is set. */
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
