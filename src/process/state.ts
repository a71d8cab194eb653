// What this process has one of. Node-RED loads nodes and plugins one by one and hands them nothing of ours; all of them come from one dist/
// though, so they find the same here. Only what Node-RED loads takes it from here; everything else is given it.
import { createHolders, type Holders } from '../ports/shared/holders.ts'
import { createPublished, type Published } from '../ports/published.ts'
import { createEngine, type Engine } from '../tcp/engine.ts'

export type ProcessState = { engine: Engine; published: Published; holders: Holders }

export const state: ProcessState = { engine: createEngine(), published: createPublished(), holders: createHolders() }
