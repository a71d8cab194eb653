import type { FlowNode } from './flow-set.ts'
import { presentNodes, stateOf, type FileState } from './merge.ts'
import { withoutMisfits } from './misfits.ts'
import { readDeployedFlow, readRecords, type Provisioning } from './provision.ts'
import { readSources, type BrokenSource } from './sources.ts'

/**
 * A provisioned file: its nodes as the file has them, and as they are deployed (empty when deleted). `template`: before values were filled
 * into its texts.
 */
export type ProvisionedFile = {
  name: string
  path: string
  state: FileState
  source: FlowNode[]
  template: FlowNode[]
  deployed: FlowNode[]
}

/** How every flow file of the folders relates to the flows deployed now. */
export function readProvisioned({ dataDir, types, ...origin }: Provisioning): {
  files: ProvisionedFile[]
  broken: BrokenSource[]
} {
  const { sources, broken } = readSources(origin)
  const flow = readDeployedFlow(dataDir)
  const records = readRecords(dataDir)
  const { fitting, misfits } = withoutMisfits(sources, { flow, records, types })
  const files = fitting.map((source) => ({
    name: source.name,
    path: source.path,
    state: stateOf(source, flow, records[source.name]),
    source: source.nodes,
    template: source.template,
    deployed: presentNodes(flow, source, records[source.name]) ?? [],
  }))
  return { files, broken: [...broken, ...misfits] }
}
