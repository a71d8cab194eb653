import fc from 'fast-check'

/** What a peer does: sends chunks, each once the one before has arrived, and ends. */
export type Talk = { chunks: Buffer[]; end: 'fin' | 'reset' | 'stay' }

/** A message's payload, as an inject node has it. */
export type Payload = { v: string; vt: 'str' | 'bin' | 'num' | 'bool' | 'json' }

type Properties = Record<string, string | boolean>

/** A node with properties that Node-RED's own dialog offers, and traffic for it. */
export type Scenario =
  | { family: 'tcp in, server'; node: Properties; talks: Talk[] }
  | { family: 'tcp in, client'; node: Properties; talks: [Talk] }
  | { family: 'reply'; node: Properties; reply: Properties; talks: Talk[] }
  | { family: 'tcp out, server'; node: Properties; clients: number; payloads: Payload[] }
  | { family: 'tcp out, client'; node: Properties; payloads: Payload[] }
  | { family: 'tcp request'; node: Properties; payloads: Payload[]; answer: Talk }

const DELIMITERS = ['', '\\n', '\\r\\n', ';', 'ab', '\\t']

// Texts are full of what the delimiters are made of, and of characters of two to four bytes.
const text = fc
  .array(fc.constantFrom('a', 'b', 'c', '1', ' ', '\n', '\r', '\r\n', '\t', ';', '\\', 'ab', 'é', '中', '😀'), {
    minLength: 1,
    maxLength: 12,
  })
  .map((parts) => parts.join(''))
const bytes = fc.uint8Array({ minLength: 1, maxLength: 12 }).map((array) => Buffer.from(array))
const textChunk = text.map((value) => Buffer.from(value))
const chunk = fc.oneof({ weight: 6, arbitrary: textChunk }, { weight: 1, arbitrary: bytes })
const chunks = fc.array(chunk, { minLength: 1, maxLength: 6 })
const talk: fc.Arbitrary<Talk> = fc.record({ chunks, end: fc.constantFrom('fin', 'fin', 'reset', 'stay') })
const talks = fc.array(talk, { minLength: 1, maxLength: 2 })

const payload: fc.Arbitrary<Payload> = fc.oneof(
  text.map((v) => ({ v, vt: 'str' as const })),
  text.map((v) => ({ v: Buffer.from(v).toString('base64'), vt: 'str' as const })),
  bytes.map((v) => ({ v: JSON.stringify([...v]), vt: 'bin' as const })),
  fc.integer({ min: 0, max: 1000 }).map((v) => ({ v: String(v), vt: 'num' as const })),
  fc.boolean().map((v) => ({ v: String(v), vt: 'bool' as const })),
  fc.constant({ v: '', vt: 'str' as const }),
)
// Who asks nothing gets no answer, and what comes after that is documented to differ.
const question = payload.filter(({ v }) => v !== '')
const payloads = fc.array(payload, { minLength: 1, maxLength: 4 })
const questions = fc.array(question, { minLength: 1, maxLength: 4 })

const receiver = fc
  .record({
    datatype: fc.constantFrom('buffer', 'utf8', 'base64'),
    datamode: fc.constantFrom('stream', 'stream', 'single'),
    newline: fc.constantFrom(...DELIMITERS),
    trim: fc.boolean(),
    topic: fc.constantFrom('', 'a topic'),
  })
  // The dialog hides the delimiter there.
  .map((node) => (node.datatype === 'base64' ? { ...node, newline: '' } : node))

const sender = fc.record({ base64: fc.boolean(), end: fc.boolean() })

const requester = fc
  .oneof(
    fc.record({ out: fc.constant('time'), splitc: fc.constantFrom('0', '1000') }),
    fc.record({ out: fc.constant('char'), splitc: fc.constantFrom('\\n', 'a', '0x0d', ';', '10') }),
    fc.record({ out: fc.constant('count'), splitc: fc.constantFrom('1', '3', '8') }),
    fc.record({ out: fc.constant('sit'), splitc: fc.constant('0') }),
    fc.record({ out: fc.constant('immed'), splitc: fc.constant('0') }),
  )
  .chain((way) =>
    fc
      .record({ ret: fc.constantFrom('buffer', 'string'), newline: fc.constantFrom(...DELIMITERS), trim: fc.boolean() })
      .map((rest) => ({ ...way, ...rest, newline: way.out === 'sit' ? rest.newline : '' })),
  )

/** Everything that a flow of Node-RED's own can ask of these nodes; how it ends is part of it. */
export const scenarios: fc.Arbitrary<Scenario> = fc.oneof(
  fc.record({ family: fc.constant('tcp in, server' as const), node: receiver, talks }),
  fc.record({ family: fc.constant('tcp in, client' as const), node: receiver, talks: fc.tuple(talk) }),
  fc.record({ family: fc.constant('reply' as const), node: receiver, reply: sender, talks }),
  fc.record({ family: fc.constant('tcp out, server' as const), node: sender, clients: fc.integer({ min: 1, max: 2 }), payloads }),
  fc.record({ family: fc.constant('tcp out, client' as const), node: sender.map((node) => ({ ...node, end: false })), payloads }),
  fc.record({ family: fc.constant('tcp request' as const), node: requester, payloads: questions, answer: talk }),
)
