import type { Observation } from './play.ts'
import type { Payload, Scenario, Talk } from './scenario.ts'

/** Where ours are documented to differ from Node-RED's own nodes (docs/tcp-nodes.md). */
type Difference = {
  name: string
  applies: (scenario: Scenario) => boolean
  /** What is the same in both all the same. */
  simplify?: (seen: Observation, scenario: Scenario) => Observation
  /** Ours may have what Node-RED's own have lost. */
  more?: true
}

const differences: Difference[] = [
  {
    name: 'tcp request that waits for an answer: Node-RED sends further requests into the same connection',
    applies: (scenario) => scenario.family === 'tcp request' && !isAnswered(scenario),
    simplify: ({ connections }, scenario) => ({
      messages: [],
      connections: connections
        .slice(0, 1)
        .map(({ received }) => ({ received: received.slice(0, firstQuestion(scenario).length), closed: false })),
    }),
  },
  {
    name: 'what came before a reset: Node-RED loses it, or takes it for the answer to the next request; ours is an error that has it',
    applies: (scenario) => scenario.family === 'tcp request' && scenario.node.out === 'time' && scenario.answer.end === 'reset',
    simplify: ({ connections }) => ({ messages: [], connections }),
  },
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
  const simple = (seen: Observation) => applicable.reduce((left, { simplify }) => simplify?.(left, scenario) ?? left, seen)
  const [less, more] = [simple(core), simple(ours)]
  return JSON.stringify(less) === JSON.stringify(more) || (applicable.some((difference) => difference.more === true) && isPart(less, more))
}

/** Whether all that was seen of the one was seen of the other, too, in the same order. */
function isPart(less: Observation, more: Observation): boolean {
  // A request that comes while the peer ends may be lost as a whole.
  let next = 0
  const sent = less.connections.every(({ received, closed }) => {
    const at = more.connections.findIndex((other, index) => index >= next && closed === other.closed && other.received.startsWith(received))
    next = at + 1
    return at >= 0
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

/** Whether what a device answers ends the exchange. */
function isAnswered({ node: { out, splitc }, answer }: Scenario & { family: 'tcp request' }): boolean {
  if (answer.end !== 'stay' || (out !== 'char' && out !== 'count')) return true
  const bytes = Buffer.concat(answer.chunks)
  return out === 'count' ? bytes.length >= Number(splitc) : bytes.includes(endOf(String(splitc)))
}

/** The byte that ends an answer. */
function endOf(splitc: string): number {
  if (splitc === '\\n') return 10
  return splitc.startsWith('0x') ? Number(splitc) : splitc.charCodeAt(0)
}

/** What is sent first, in hex digits. */
function firstQuestion(scenario: Scenario): string {
  const { v, vt } = (scenario as { payloads: Payload[] }).payloads[0]!
  return Buffer.from(vt === 'bin' ? (JSON.parse(v) as number[]) : Buffer.from(v)).toString('hex')
}

function isNotText(chunk: Buffer): boolean {
  return !Buffer.from(chunk.toString()).equals(chunk)
}

function decoded(base64: string): string {
  const parts = base64.split(/(?<==)(?!=)/)
  return parts.map((part) => Buffer.from(part, 'base64').toString('hex')).join('')
}
