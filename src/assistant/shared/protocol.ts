// What page, command line and server say to each other. Over the WebSocket: JSON text frames, bytes as base64.
import type { Notice } from './notice.ts'
import type { ScenarioEvent } from './scenario.ts'
import type { Verb } from './requests.ts'
import type { Draft, EndpointKind, EndpointSpec, FaultSpec, Rule } from './spec.ts'

export type Direction = 'rx' | 'tx' | 'note'

/** One line of an endpoint's log. `t` in microseconds since 1970. `peer` is an id of `PeerInfo`, '' when it concerns none. */
export type Entry = { n: number; t: number; dir: Direction; peer: string; data?: string; note?: Notice }

/** The same with bytes, inside the server and on the command line. */
export type LogEntry = Omit<Entry, 'data'> & { data?: Uint8Array }

export type Counters = { rxBytes: number; txBytes: number; rxCount: number; txCount: number }

/** `id` is the remote address and port, with `#2` and so on behind it when that has been there before. */
export type PeerInfo = Counters & { id: string; address: string; port: number; since: number; half?: 'ended' | 'finished'; waiting: number }

/** `waiting`: a client that will connect again; `failed` says why in `problem`; `closed` was closed by somebody. */
export type EndpointState = 'opening' | 'open' | 'waiting' | 'closed' | 'failed'

export type TimerInfo = { periodMs: number; count: number; sent: number; peer?: string }
export type FileInfo = { name: string; size: number; sent: number; peer?: string }
export type ReplayInfo = { total: number; sent: number }

export type EndpointInfo = {
  id: string
  name: string
  spec: EndpointSpec
  state: EndpointState
  /** What went wrong, or what to know, such as a port that nobody outside reaches. */
  problem?: Notice
  hints: Notice[]
  /** Where it listens or whence it has connected. */
  local?: { address: string; port: number }
  peers: PeerInfo[]
  counters: Counters
  /** The oldest and the newest entry of the log that are still there; `last` < `first` when it is empty. */
  log: { first: number; last: number; bytes: number; dropped: number }
  rules: Rule[]
  faults: FaultSpec
  timer?: TimerInfo
  file?: FileInfo
  replay?: ReplayInfo
}

export type Limits = {
  endpoints: number
  peers: number
  logEntries: number
  logBytes: number
  sendBytes: number
  fileBytes: number
  fetchEntries: number
  rules: number
  timerPeriodMs: number
}

/** One scenario of the distribution: the other side's settings, ready to be opened. `scenario` names the flow. */
export type Preset = {
  scenario: 'tcp-in-server' | 'tcp-out-server' | 'tcp-response' | 'tcp-in-client' | 'tcp-out-client'
  spec: EndpointSpec
  draft?: Draft
}

/** `flows`: may change flows in the editor. */
export type Permissions = { read: boolean; write: boolean; flows: boolean }

export type FrameVerdict = 'right' | 'wrong' | 'short'

/** One frame of a cut conversation. `entries`: the first and the last log entry that its bytes came in. */
export type Frame = {
  t: number
  dir: 'rx' | 'tx'
  peer: string
  data: string
  entries: [number, number]
  /** Set when the peer's end, not the framing, ended it. */
  incomplete?: boolean
  verdict?: FrameVerdict
  /** What the checksum should be, in HEX as it would stand in the frame. */
  expected?: string
  problem?: Notice
}

/** One message that a tcp in would emit. `text` when it emits strings, else `data` (base64). */
export type NodeMessage = {
  t: number
  peer: string
  entries: [number, number]
  text?: string
  data?: string
  topic?: string
  /** Characters that were cut in two by the framing, or bytes that are none in this encoding. */
  flags: ('split-character' | 'invalid-bytes' | 'incomplete' | 'empty')[]
  event?: Notice
}

export type FramingView = { frames: Frame[]; skipped: number; truncated: boolean; problems: Notice[] }
/** `warnings`: settings that have no effect or an unwanted one on these bytes. */
export type NodeView = { messages: NodeMessage[]; warnings: Notice[]; truncated: boolean; problem?: Notice }
/** Times in microseconds. `buckets`: counts up to and including `upTo`. */
export type LatencyView = {
  pairs: { request: number; reply: number; peer: string; us: number }[]
  stats?: { count: number; min: number; max: number; mean: number; p50: number; p95: number; p99: number }
  buckets: { upTo: number; count: number }[]
  unanswered: number
}
/** Texts of entries in another encoding, by entry number; chunks are decoded as one stream for each peer and direction. */
export type TextView = { texts: Record<string, string> }

/** What is answered, by the verb of the request. */
export type Answers = {
  open: EndpointInfo
  close: EndpointInfo
  reopen: EndpointInfo
  remove: Record<string, never>
  rename: EndpointInfo
  send: { bytes: number; peers: number }
  timer: EndpointInfo
  file: FileInfo
  rules: EndpointInfo
  faults: EndpointInfo
  clear: EndpointInfo
  watch: { first: number; last: number }
  unwatch: Record<string, never>
  fetch: { entries: Entry[]; first: number; last: number }
  view: FramingView | NodeView | LatencyView | TextView
  export: { name: string; type: string; data: string }
  replay: EndpointInfo
  scenario: { run: string; steps: number } | Record<string, never>
  'reset-counters': EndpointInfo
  kick: EndpointInfo
}

export type Answer = { id: number; ok: true; result: Answers[Verb] } | { id: number; ok: false; error: Notice }

/** Verbs that need no more than `assistant.read`. */
export const READING: readonly Verb[] = ['watch', 'unwatch', 'fetch', 'view', 'export']

export type ServerEvent =
  | {
      on: 'hello'
      endpoints: EndpointInfo[]
      limits: Limits
      presets: Preset[]
      permissions: Permissions
      version: string
      kinds: EndpointKind[]
    }
  | { on: 'endpoint'; info: EndpointInfo }
  | { on: 'removed'; endpoint: string }
  /** `counters` are those of the endpoint with these entries counted in. */
  | { on: 'entries'; endpoint: string; entries: Entry[]; counters: Counters }
  | { on: 'skipped'; endpoint: string; from: number; to: number; count: number; rxBytes: number; txBytes: number }
  /** Entries up to and including this one are no longer in the log. */
  | { on: 'dropped'; endpoint: string; upTo: number }
  | { on: 'scenario'; run: string; event: ScenarioEvent }
