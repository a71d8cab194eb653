import { copyFileSync, existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { writeFileAtomic } from '../storage/atomic-file.ts'
import { parseFlow, type FlowNode } from './flow-set.ts'
import { mergeFlows, type Action, type ProvisionRecords } from './merge.ts'
import { withOneDashboard } from './one-dashboard.ts'
import type { NodeTypes } from './node-types.ts'
import { readSources, type BrokenSource, type Origin } from './sources.ts'
import { withoutMisfits } from './misfits.ts'

export const FLOW_FILE = 'flows.json'
const RECORDS_FILE = '.provisioned.json'
const PREVIOUS_FILE = 'flows.previous.json'

export type ProvisioningReport = {
  actions: { name: string; action: Action }[]
  /** Files that were left out, since a dashboard other than theirs is there. */
  aside: string[]
  broken: BrokenSource[]
  /** Set when the user's own flow file cannot be read; then nothing was written. */
  unreadableFlow?: { path: string; reason: string }
}

/** What is provisioned, into which data folder, and the node types that there are. */
export type Provisioning = Origin & { dataDir: string; types: NodeTypes }

/** Merges the flow files of the folders into the data folder's flow file. Writes only when something changes, keeping the previous file. */
export function provisionFlows({ dataDir, types, ...origin }: Provisioning): ProvisioningReport {
  const flowPath = join(dataDir, FLOW_FILE)
  const { sources, broken } = readSources(origin)
  let flow: FlowNode[]
  try {
    flow = readDeployedFlow(dataDir)
  } catch (error) {
    return { actions: [], aside: [], broken, unreadableFlow: { path: flowPath, reason: (error as Error).message } }
  }
  const records = readRecords(dataDir)
  const { kept, aside } = withOneDashboard(sources, flow)
  const { fitting, misfits, retired } = withoutMisfits(kept, { flow, records, types })
  broken.push(...misfits)
  const unreadable = broken.map(({ name }) => name).filter((name) => !retired.includes(name))
  const merged = mergeFlows({ flow, sources: fitting, records, unreadable })
  if (JSON.stringify(merged.flow) !== JSON.stringify(flow)) {
    if (existsSync(flowPath)) copyFileSync(flowPath, join(dataDir, PREVIOUS_FILE))
    writeFileAtomic(flowPath, JSON.stringify(merged.flow, null, 4))
  }
  // After the flows: a crash in between leaves tabs that equal their source, which the next start sees.
  if (JSON.stringify(merged.records) !== JSON.stringify(records)) {
    writeFileAtomic(join(dataDir, RECORDS_FILE), `${JSON.stringify(merged.records, null, 2)}\n`)
  }
  return { actions: merged.actions, aside: aside.map(({ name }) => name), broken }
}

/** What was last provisioned into this data folder; empty when nothing was, or the record is lost. */
export function readRecords(dataDir: string): ProvisionRecords {
  try {
    return JSON.parse(readFileSync(join(dataDir, RECORDS_FILE), 'utf8')) as ProvisionRecords
  } catch {
    return {}
  }
}

/**
 * The flows that Node-RED runs, as it keeps them in its data folder.
 * @throws Error when the file is there and cannot be read
 */
export function readDeployedFlow(dataDir: string): FlowNode[] {
  const path = join(dataDir, FLOW_FILE)
  return existsSync(path) ? parseFlow(readFileSync(path, 'utf8')) : []
}
