import type { Problem } from '../../runtime/problems.ts'
import { allClaims } from '../../tcp/claims.ts'
import type { Observer } from '../../tcp/observer.ts'
import type { NodeRed } from '../node-red.ts'
import { declaredListeners, type DeclaredListener } from './declared-listeners.ts'
import type { FlowState } from './flow-state.ts'

/** One thing that keeps the distribution from being ready. */
export type Missing = { what: string; why: string }

export type Readiness = { ready: boolean; missing: Missing[]; warnings: Missing[] }

/** Ready when the flows run and every TCP listener that they declare is bound. */
export function readiness(RED: NodeRed, observer: Observer, flows: FlowState): Readiness {
  const problems = RED.settings.distribution?.problems ?? []
  const missing = [
    ...problems.filter(({ severity }) => severity === 'error').map(withoutSeverity),
    ...flowProblems(RED, flows),
    ...(flows.phase() === 'started' ? listenerProblems(RED, observer) : []),
  ]
  return { ready: missing.length === 0, missing, warnings: problems.filter(({ severity }) => severity === 'warning').map(withoutSeverity) }
}

function withoutSeverity({ what, why }: Problem): Missing {
  return { what, why }
}

function flowProblems(RED: NodeRed, flows: FlowState): Missing[] {
  const file = RED.settings.distribution?.flowFile ?? 'the flow file'
  const found = [
    ...flows.missingTypes().map((type) => ({
      what: file,
      why: `unknown node type "${type}" (${usersOf(RED, type)}): install the palette module that has it, or delete the node`,
    })),
    ...flows.missingModules().map((module) => ({ what: file, why: `module "${module}" is missing` })),
  ]
  if (flows.safeMode()) found.push({ what: 'flows', why: 'Node-RED runs in safe mode: deploy to start them' })
  if (found.length === 0 && flows.phase() !== 'started') found.push({ what: 'flows', why: `not running: ${flows.phase()}` })
  return found
}

function usersOf(RED: NodeRed, type: string): string {
  const ids: string[] = []
  RED.nodes.eachNode((node) => {
    if (node.type === type) ids.push(node.name || node.id)
  })
  return `node ${ids.join(', ')}`
}

function listenerProblems(RED: NodeRed, observer: Observer): Missing[] {
  const bound = new Set(observer.listeners().map(({ port }) => port))
  const failures = new Map(observer.listenFailures().map((failure) => [failure.port, failure]))
  const found: Missing[] = []
  for (const declared of declaredListeners(RED)) {
    const failure = claimFailure(declared) ?? failures.get(declared.port ?? 0)
    failures.delete(declared.port ?? 0)
    const what = describe(declared)
    if (declared.port === undefined) found.push({ what, why: `"${declared.configured}" is not a port number` })
    else if (failure) found.push({ what, why: failure.message })
    else if (!bound.has(declared.port)) found.push({ what, why: 'not listening yet' })
  }
  // What no node on a tab declares: a listener inside a subflow, or of another node type.
  for (const { port, message } of failures.values()) found.push({ what: `port ${port}`, why: `can not listen: ${message}` })
  return found
}

/** Why one of our own nodes can not listen, although another may on the same port. */
function claimFailure({ node }: DeclaredListener): { message: string } | undefined {
  const state = allClaims().find(({ about }) => about.node === node)?.state
  return state?.kind === 'failed' ? state.error : undefined
}

function describe({ port, type, name, node, flow }: DeclaredListener): string {
  return `port ${port ?? '?'} (${type} "${name || node}" on "${flow}")`
}
