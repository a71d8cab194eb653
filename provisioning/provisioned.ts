import type { FlowNode } from './flow-set.ts'
import { presentNodes, stateOf, type FileState } from './merge.ts'
import { readDeployedFlow, readRecords } from './provision.ts'
import { readSources, type BrokenSource } from './sources.ts'

/** A provisioned file: its nodes as the file has them, and as they are deployed (empty when deleted). */
export type ProvisionedFile = { name: string; path: string; state: FileState; source: FlowNode[]; deployed: FlowNode[] }

/** How every flow file of the folders stands to the flows that are deployed now. */
export function readProvisioned({ dataDir, folders }: { dataDir: string; folders: readonly string[] }): {
  files: ProvisionedFile[]
  broken: BrokenSource[]
} {
  const { sources, broken } = readSources(folders)
  const flow = readDeployedFlow(dataDir)
  const records = readRecords(dataDir)
  const files = sources.map((source) => ({
    name: source.name,
    path: source.path,
    state: stateOf(source, flow, records[source.name]),
    source: source.nodes,
    deployed: presentNodes(flow, source, records[source.name]) ?? [],
  }))
  return { files, broken }
}
