import type { Problem } from '../../runtime/problems.ts'
import { withHolder, type Holders } from '../../ports/shared/holders.ts'
import type { Claim } from '../../tcp/claims.ts'
import type { About } from '../../tcp/session.ts'
import type { NodeRed } from '../node-red.ts'
import { declaredListeners, flowLabels, startErrorOf, type DeclaredListener } from './declared-listeners.ts'
import { describeUser, otherFailures, type Source } from './facts.ts'
import type { FlowState } from './flow-state.ts'

/** One thing that keeps the distribution from being ready. */
export type Missing = { what: string; why: string }

export type Readiness = { ready: boolean; missing: Missing[]; warnings: Missing[] }

/** Ready when the flows run and every TCP listener that they declare is bound. */
export function readiness(source: Source, flows: FlowState): Readiness {
  const { RED } = source
  const problems = RED.settings.distribution?.problems ?? []
  const missing = [
    ...problems.filter(({ severity }) => severity === 'error').map(withoutSeverity),
    ...flowProblems(RED, flows),
    ...(flows.phase() === 'started' ? listenerProblems(source) : []),
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

function listenerProblems(source: Source): Missing[] {
  const { RED, observer, state: process } = source
  const claims = process.engine.claims.listening()
  const bound = new Set(observer.listeners().map(({ port }) => port))
  const failures = otherFailures(source)
  const found: Missing[] = []
  const declaredHere = declaredListeners(RED)
  for (const declared of declaredHere) {
    const { node, port = 0 } = declared
    const failure = claimFailure(declared, claims) ?? failures.find(({ opener }) => opener?.node === node)
    const what = describe(declared)
    const startError = startErrorOf(RED, node)
    if (startError !== undefined) found.push({ what, why: startError })
    else if (declared.port === undefined) found.push({ what, why: `"${declared.configured}" is not a port number` })
    else if (failure) found.push({ what, why: whyNot(failure, port, process.holders) })
    else if (!bound.has(port)) found.push({ what, why: failures.find((other) => other.port === port)?.message ?? 'not listening yet' })
  }
  // What no node on a tab declares: a listener inside a subflow, or of another node type.
  const told = new Set(declaredHere.map(({ node }) => node))
  const labels = flowLabels(RED)
  for (const { about, port, state } of claims) {
    if (state?.kind === 'failed' && !told.has(about.node))
      found.push({ what: placeOf(port, about, labels), why: whyNot(state.error, port, process.holders) })
  }
  for (const failure of failures) {
    const { opener, port } = failure
    if (opener ? told.has(opener.node) : declaredHere.some((declared) => declared.port === port && !bound.has(port))) continue
    found.push({ what: placeOf(port, opener, labels), why: `cannot listen: ${whyNot(failure, port, process.holders)}` })
  }
  return found
}

function placeOf(port: number, about: About | undefined, labels: Map<string, string>): string {
  return about ? `port ${port} (${describeUser({ ...about, flow: labels.get(about.flow) ?? about.flow })})` : `port ${port}`
}

/** The cause, and who has the port where that is it. */
function whyNot({ message }: { message: string }, port: number, holders: Holders): string {
  return message.includes('EADDRINUSE') ? withHolder(message, holders.of(port)) : message
}

/** Why one of our own nodes cannot listen, although another may on the same port. */
function claimFailure({ node }: { node: string }, claims: readonly Claim[]): { message: string } | undefined {
  const state = claims.find(({ about }) => about.node === node)?.state
  return state?.kind === 'failed' ? state.error : undefined
}

function describe({ port, type, name, node, flow }: DeclaredListener): string {
  return `port ${port ?? '?'} (${type} "${name || node}" on "${flow}")`
}
