import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { findNodeTypes } from '../provisioning/node-types.ts'
import type { Provisioning } from '../provisioning/provision.ts'
import { scenarioPorts, type Environment } from './environment.ts'
import { home, nodesFolder, scenarioFolder } from './installation.ts'

/** What is provisioned here: the scenarios of the distribution, then the user's own files. */
export function provisioningOf(environment: Environment): Provisioning {
  const { DATA_DIR, FLOWS_DIR, SCENARIOS } = environment
  return {
    dataDir: DATA_DIR,
    folders: [{ path: scenarioFolder, only: SCENARIOS }, ...(FLOWS_DIR === undefined ? [] : [{ path: FLOWS_DIR }])],
    values: scenarioPorts(environment),
    types: findNodeTypes({ folders: [coreNodes()], modules: [nodesFolder, ...ownModules()], dataDir: DATA_DIR }),
  }
}

function coreNodes(): string {
  return join(dirname(createRequire(import.meta.url).resolve('@node-red/nodes/package.json')), 'core')
}

/** The packages that this distribution depends on; those without nodes are passed over. */
function ownModules(): string[] {
  const { dependencies } = JSON.parse(readFileSync(join(home, 'package.json'), 'utf8')) as { dependencies: Record<string, string> }
  return Object.keys(dependencies).map((name) => join(home, 'node_modules', name))
}
