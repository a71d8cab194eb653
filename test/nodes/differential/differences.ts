import type { Observation } from './play.ts'
import type { Scenario, Talk } from './scenario.ts'

/** Where ours are documented to differ from Node-RED's own nodes (docs/tcp-nodes.md). */
type Difference = {
  name: string
  applies: (scenario: Scenario) => boolean
  /** What is the same in both all the same. */
  simplify?: (seen: Observation) => Observation
  /** Ours may have what Node-RED's own have lost. */
  more?: true
}

const differences: Difference[] = [
  {
    name: 'UTF-8 that is cut or wrong: Node-RED decodes each chunk by itself',
    applies: (scenario) => datatypeOf(scenario) === 'utf8' && talksOf(scenario).some(({ chunks }) => chunks.some(isNotText)),
    simplify: ({ messages, connections }) => ({
      messages: messages.map(joined).map(({ payload, ...rest }) => [{ ...rest, payload: payload.replaceAll('\ufffd', '') }]),
      connections: connections.map(({ received, closed }) => ({ received: received.replaceAll('efbfbd', ''), closed })),
    }),
  },
  {
    name: 'Base64 of a whole connection: Node-RED encodes each chunk by itself',
    applies: (scenario) => datatypeOf(scenario) === 'base64' && 'datamode' in scenario.node && scenario.node.datamode === 'single',
    simplify: ({ messages, connections }) => ({
      messages: messages.map((group) => group.map(({ payload, ...rest }) => ({ ...rest, payload: decoded(String(payload)) }))),
      connections,
    }),
  },
  {
    name: 'what is left when the peer ends: Node-RED loses it, or the reply to it, or who sent it',
    applies: (scenario) => talksOf(scenario).some(({ end }) => end !== 'stay'),
    simplify: ({ messages, connections }) => ({
      messages: messages.map((group) => group.map(({ addressed: _addressed, partial: _partial, ...rest }) => rest)),
      connections,
    }),
    more: true,
  },
]

/** Whether two observations of a scenario are the same, but for what is documented. */
export function isSame(scenario: Scenario, { core, ours }: { core: Observation; ours: Observation }): boolean {
  if (JSON.stringify(core) === JSON.stringify(ours)) return true
  const applicable = differences.filter(({ applies }) => applies(scenario))
  const simple = (seen: Observation) => applicable.reduce((left, { simplify }) => simplify?.(left) ?? left, seen)
  const [less, more] = [simple(core), simple(ours)]
  return JSON.stringify(less) === JSON.stringify(more) || (applicable.some((difference) => difference.more === true) && isPart(less, more))
}

/** Whether all that was seen of the one was seen of the other, too, in the same order. */
function isPart(less: Observation, more: Observation): boolean {
  const sent = less.connections.every(({ received, closed }, index) => {
    const other = more.connections[index]
    return closed === other?.closed && other.received.startsWith(received)
  })
  return sent && less.messages.every((group) => more.messages.some((other) => isWithin(group, other)))
}

function isWithin(few: Record<string, unknown>[], many: Record<string, unknown>[]): boolean {
  const left = many.map((message) => JSON.stringify(message))
  return few.every((message) => {
    const place = left.indexOf(JSON.stringify(message))
    left.splice(0, place + 1)
    return place >= 0
  })
}

function joined(group: Record<string, unknown>[]): { payload: string } & Record<string, unknown> {
  return { ...group[0], payload: group.map(({ payload }) => String(payload)).join('') }
}

function datatypeOf(scenario: Scenario): unknown {
  return 'datatype' in scenario.node ? scenario.node.datatype : undefined
}

function talksOf(scenario: Scenario): readonly Talk[] {
  if (scenario.family === 'tcp request') return [scenario.answer]
  return 'talks' in scenario ? scenario.talks : []
}

function isNotText(chunk: Buffer): boolean {
  return !Buffer.from(chunk.toString()).equals(chunk)
}

function decoded(base64: string): string {
  const parts = base64.split(/(?<==)(?!=)/)
  return parts.map((part) => Buffer.from(part, 'base64').toString('hex')).join('')
}
