// What a page may ask of the server: one schema for each request, by the name of its verb, and the types that follow from it. The page
// takes types only; the server believes nothing that has not been through here.
import { z } from 'zod'
import * as settings from './spec.ts'

const MAX_DATA = 8 * 1024 * 1024
const MAX_SCENARIO = 256 * 1024

const id = z.string().min(1).max(100)
const name = z.string().trim().min(1).max(100)
const n = z.number().int().min(0)
const bytes = z.base64().max(MAX_DATA)
const dir = z.enum(['rx', 'tx'])

const endpoint = { endpoint: id }
const peer = { peer: settings.peer.exactOptional() }
/** Which entries: `from` and `to` are numbers of entries, inclusive. */
const span = { from: n.exactOptional(), to: n.exactOptional(), ...peer }
const view = { ...endpoint, ...span }

export const REQUESTS = {
  open: z.strictObject({ spec: settings.endpointSpec, name: name.exactOptional() }),
  /** Closes sockets; endpoint and log stay. */
  close: z.strictObject(endpoint),
  reopen: z.strictObject({ ...endpoint, spec: settings.endpointSpec.exactOptional() }),
  /** Closes it and forgets it with its log. */
  remove: z.strictObject(endpoint),
  rename: z.strictObject({ ...endpoint, name }),
  /** Bytes as base64, or a draft. Without `peer`: to all. */
  send: z.union([z.strictObject({ ...endpoint, ...peer, draft: settings.draft }), z.strictObject({ ...endpoint, ...peer, data: bytes })]),
  /** Without a timer: stops it. */
  timer: z.strictObject({ ...endpoint, timer: settings.timerSpec.exactOptional() }),
  /** Begin with name and size, then the chunks in order, each after the answer to the one before; `cancel` at any time. */
  file: z.discriminatedUnion('step', [
    z.strictObject({
      ...endpoint,
      ...peer,
      step: z.literal('begin'),
      name,
      size: z.number().int().min(1),
      chunkBytes: z.number().int().min(1).exactOptional(),
      periodMs: z.number().int().min(0).max(60_000).exactOptional(),
    }),
    z.strictObject({ ...endpoint, ...peer, step: z.literal('chunk'), data: bytes }),
    z.strictObject({ ...endpoint, ...peer, step: z.literal('cancel') }),
  ]),
  rules: z.strictObject({ ...endpoint, rules: z.array(settings.rule) }),
  /** Settings stay until they are changed; `now` happens once, to one peer or all. */
  faults: z.strictObject({
    ...endpoint,
    ...peer,
    faults: settings.faultSpec.exactOptional(),
    now: z.enum(['half-close', 'reset']).exactOptional(),
  }),
  clear: z.strictObject(endpoint),
  /** New entries of an endpoint from now on, or from `from` on as far as they are there. */
  watch: z.strictObject({ ...endpoint, from: n.exactOptional() }),
  unwatch: z.strictObject(endpoint),
  /** Entries of the log, at most `limits.fetchEntries`; ask again from the last one on. */
  fetch: z.strictObject({ ...endpoint, from: n, to: n }),
  view: z.discriminatedUnion('view', [
    z.strictObject({
      ...view,
      view: z.literal('framing'),
      framing: settings.framingSpec,
      dir: dir.exactOptional(),
      checksum: settings.checksumSpec.exactOptional(),
      maxFrame: z.number().int().min(1).exactOptional(),
    }),
    /** `dir` is what Node-RED would receive: `rx` (default) in the assistant's place, `tx` on the other side. */
    z.strictObject({ ...view, view: z.literal('node-red'), settings: settings.tcpInSpec, dir: dir.exactOptional() }),
    z.strictObject({ ...view, view: z.literal('latency') }),
    z.strictObject({ ...view, view: z.literal('text'), encoding: z.string().max(40) }),
  ]),
  export: z.strictObject({ ...endpoint, ...span, format: z.enum(['text', 'csv', 'hexdump', 'pcapng', 'flow']) }),
  /** Sends again what one direction of a log has, at the pace of the log times `speed`. Without `source`: stops. */
  replay: z.strictObject({
    ...endpoint,
    ...peer,
    speed: z.number().min(0.01).max(1000).exactOptional(),
    source: z.strictObject({ ...endpoint, dir, ...span }).exactOptional(),
  }),
  /** Plays a scenario file, or stops a run. `keep`: endpoints and their logs stay afterwards. */
  scenario: z.union([
    z.strictObject({ text: z.string().max(MAX_SCENARIO), keep: z.boolean().exactOptional() }),
    z.strictObject({ stop: id }),
  ]),
  'reset-counters': z.strictObject(endpoint),
  kick: z.strictObject({ ...endpoint, peer: settings.peer }),
}

export type Verb = keyof typeof REQUESTS
export type Asked<V extends Verb = Verb> = { [K in V]: z.infer<(typeof REQUESTS)[K]> }[V]

type WithoutEndpoint<T> = T extends { endpoint: string } ? Omit<T, 'endpoint'> : never
/** A view of a log, whichever endpoint's. */
export type View = WithoutEndpoint<Asked<'view'>>
export type ExportFormat = Asked<'export'>['format']
