// What happened, for people: a code and its values. Page and command line have texts of their own for each code.

/** Every code, with the names of its values. */
export const CODES = {
  // errors and problems of a connection
  REFUSED: ['host', 'port'],
  UNREACHABLE: ['host', 'port'],
  TIMED_OUT: ['host', 'port', 'seconds'],
  DNS_FAILED: ['host'],
  PORT_IN_USE: ['port'],
  PORT_NOT_ALLOWED: ['port'],
  ADDRESS_NOT_HERE: ['address'],
  TARGET_NOT_ALLOWED: ['host', 'port', 'address'],
  METADATA_ADDRESS: ['address'],
  CONNECTION_RESET: ['peer'],
  CONNECTION_LOST: ['peer', 'reason'],
  TLS_FAILED: ['reason'],
  TLS_NEEDS_CERTIFICATE: [],
  SOCKET_FAILED: ['reason'],
  // errors of a request
  BAD_REQUEST: ['reason'],
  NO_ENDPOINT: ['endpoint'],
  NO_PEER: ['peer'],
  NOT_OPEN: ['endpoint'],
  NOTHING_CONNECTED: [],
  NO_TARGET: [],
  NOT_FOR_KIND: ['kind'],
  NOT_PERMITTED: ['permission'],
  TOO_MANY_ENDPOINTS: ['limit'],
  TOO_MANY_PEERS: ['limit', 'peer'],
  TOO_MANY_RULES: ['limit'],
  TOO_MANY_RUNS: ['limit'],
  BAD_SCENARIO: ['mistakes'],
  TOO_LONG: ['bytes', 'limit'],
  DATAGRAM_TOO_LONG: ['bytes', 'limit'],
  FILE_TOO_LARGE: ['bytes', 'limit'],
  FILE_BUSY: ['name'],
  FILE_OUT_OF_STEP: [],
  SLOW_PEER: ['peer', 'bytes', 'limit'],
  BAD_HEX: ['at', 'text'],
  BAD_ESCAPE: ['at', 'text'],
  BAD_ENCODING: ['encoding'],
  BAD_MACRO: ['at', 'text'],
  BAD_RULE: ['rule', 'reason'],
  BAD_SETTING: ['setting', 'reason'],
  FRAME_TOO_LONG: ['limit'],
  BAD_LENGTH: ['value'],
  NOT_AVAILABLE: ['what'],
  // warnings of the view as Node-RED sees it; reasons: single, not-text, no-delimiter, never-came
  USELESS_SETTING: ['setting', 'reason'],
  SPLIT_CHARACTERS: ['encoding'],
  WRONG_ENCODING: ['encoding'],
  // hints
  SHORTCUT: ['host', 'port'],
  NOT_PUBLISHED: ['port', 'command'],
  UDP_NOT_PUBLISHED: ['port'],
  // notes in the log
  OPENED: ['address', 'port'],
  CLOSED: [],
  CONNECTED: ['peer'],
  ENDED: ['peer'],
  DISCONNECTED: ['peer', 'rx', 'tx'],
  FINISHED: ['peer'],
  KICKED: ['peer'],
  RESET_SENT: ['peer'],
  RECONNECTING: ['seconds'],
  TIMER_STARTED: ['periodMs', 'count'],
  TIMER_DONE: ['sent'],
  FILE_STARTED: ['name', 'size'],
  FILE_DONE: ['name', 'size'],
  FILE_CANCELLED: ['name', 'sent', 'size'],
  REPLAY_STARTED: ['total'],
  REPLAY_DONE: ['sent'],
  RULE_ANSWERED: ['rule'],
  LOG_CLEARED: [],
  // what became of a step of a scenario
  NOT_RECEIVED: ['peer', 'wanted', 'ms', 'received'],
  NOT_SILENT: ['peer', 'received'],
  NOT_CONNECTED: ['peer', 'ms'],
  STILL_CONNECTED: ['peer', 'ms'],
  PEER_GONE: ['peer', 'wanted', 'received'],
  STOPPED: [],
  // what a step does
  STEP_SEND: ['peer', 'content'],
  STEP_EXPECT: ['peer', 'wanted'],
  STEP_SILENCE: ['peer', 'ms'],
  STEP_WAIT: ['ms'],
  STEP_OPEN: ['peer'],
  STEP_CLOSE: ['peer'],
  STEP_CONNECTED: ['peer'],
  STEP_CLOSED: ['peer'],
  // what the page says itself
  OFFLINE: [],
  BAD_FILE: ['name'],
} as const satisfies Record<string, readonly string[]>

export type Code = keyof typeof CODES
export type Params = Record<string, string | number>
export type Notice = { code: Code; params: Params }

type ParamsOf<C extends Code> = Record<(typeof CODES)[C][number], string | number>
type BareCode = { [C in Code]: (typeof CODES)[C] extends readonly [] ? C : never }[Code]

/** A notice, with exactly the values that its code has. */
export function notice(code: BareCode): Notice
export function notice<C extends Code>(code: C, params: ParamsOf<C>): Notice
export function notice(code: Code, params: Params = {}): Notice {
  return { code, params }
}
