import { STEP_NAMES } from '../shared/step-names.ts'
import { TEXTS_ZH } from './texts-zh.ts'
import type { Code, Notice } from '../shared/notice.ts'

type AnyCode = Code

/** What happened and what to do, on the command line. */
export const TEXTS: Partial<Record<AnyCode, string>> = {
  REFUSED: 'nobody listens on {host}:{port}: the connection was refused; start the device or flow there, or correct address and port',
  UNREACHABLE: '{host}:{port} cannot be reached from here; check address, network and firewall',
  TIMED_OUT: '{host}:{port} did not answer; check address and firewall',
  DNS_FAILED: 'the name {host} is not known; check the spelling, or use the IP address',
  PORT_IN_USE: 'port {port} is taken already; end what listens there, or choose another port',
  PORT_NOT_ALLOWED: 'port {port} needs rights that you do not have; choose one from 1024 on',
  ADDRESS_NOT_HERE: 'this machine has no address {address}; leave out --local, or give one that it has',
  TARGET_NOT_ALLOWED: '{host}:{port} ({address}) is not among the targets that ASSISTANT_TARGETS allows',
  METADATA_ADDRESS: '{address} is a link-local address, where clouds keep credentials; name it in ASSISTANT_TARGETS to allow it',
  CONNECTION_RESET: '{peer} has reset the connection',
  CONNECTION_LOST: 'the connection to {peer} is lost: {reason}',
  TLS_FAILED:
    'the TLS handshake failed: {reason}; check the certificate and its name (--tls-ca, --servername, --tls-any) and whether the other side speaks TLS',
  TLS_NEEDS_CERTIFICATE: 'a TLS server needs --tls-cert FILE and --tls-key FILE',
  SOCKET_FAILED: 'the socket failed: {reason}',
  BAD_REQUEST: 'not understood: {reason}',
  NO_ENDPOINT: 'there is no endpoint {endpoint}',
  NO_PEER: '{peer} is not connected; /peers lists who is',
  NOT_OPEN: '{endpoint} is not open',
  NOTHING_CONNECTED: 'nobody is connected, so nothing was sent',
  NO_TARGET: 'nobody to send to yet: a UDP socket without a target answers those that it has heard from',
  NOT_FOR_KIND: 'that is not possible with {kind}',
  NOT_PERMITTED: 'the permission {permission} is missing',
  TOO_MANY_ENDPOINTS: 'there are {limit} endpoints already',
  TOO_MANY_PEERS: '{peer} was turned away: {limit} are connected already',
  TOO_MANY_RULES: 'at most {limit} rules',
  TOO_LONG: '{bytes} bytes are too many at once: {limit} are allowed',
  DATAGRAM_TOO_LONG: '{bytes} bytes do not fit into a datagram: {limit} do',
  FILE_TOO_LARGE: '{bytes} bytes are too many: {limit} are allowed',
  FILE_BUSY: '{name} is being sent',
  FILE_OUT_OF_STEP: 'there is no file to go on with',
  SLOW_PEER: '{peer} takes bytes too slowly: {bytes} wait already, {limit} may',
  BAD_HEX: '"{text}" at {place} is no HEX; write pairs of digits such as 01 03 0A',
  BAD_ESCAPE: '"{text}" at {place} is no escape; there are \\n \\r \\t \\0 \\xHH \\uHHHH and \\\\',
  BAD_ENCODING: 'encoding "{encoding}" is not known; utf8, gbk, gb18030, latin1 and others are',
  BAD_MACRO:
    '"{text}" at {place} is no macro; there are {{counter}}, {{counter:hex:4}}, {{random:1-100}}, {{random:hex:8}}, {{time}}, {{time:HH:mm:ss}}',
  BAD_RULE: 'rule {rule}: {reason}',
  BAD_SETTING: '{setting}: {reason}',
  FRAME_TOO_LONG: 'a frame is longer than {limit} bytes',
  BAD_LENGTH: 'a frame tells {value} as its length',
  NOT_AVAILABLE: '{what} is not available',
  NOT_PUBLISHED: 'port {port} is not published by Docker; this opens it: {command}',
  UDP_NOT_PUBLISHED: 'UDP port {port} is not published by Docker',
  OPENED: 'listening on {address}:{port}',
  CLOSED: 'closed',
  CONNECTED: '{peer} connected',
  ENDED: '{peer} sends no more',
  DISCONNECTED: '{peer} disconnected, {rx} bytes received, {tx} sent',
  FINISHED: 'told {peer} that nothing more comes',
  KICKED: '{peer} was disconnected',
  RESET_SENT: 'the connection to {peer} was reset',
  RECONNECTING: 'connecting again in {seconds} s',
  TIMER_STARTED: 'sending every {periodMs} ms',
  TIMER_DONE: 'sent {sent} times',
  FILE_STARTED: 'sending {name}, {size} bytes',
  FILE_DONE: '{name} was sent, {size} bytes',
  FILE_CANCELLED: '{name} was stopped after {sent} of {size} bytes',
  REPLAY_STARTED: 'replaying {total} entries',
  REPLAY_DONE: 'replay ended after {sent} entries',
  RULE_ANSWERED: 'answered by rule {rule}',
  LOG_CLEARED: 'log cleared',
  NOT_RECEIVED: '{wanted} did not come from {peer} within {ms} ms; received: {received}',
  NOT_SILENT: '{peer} was to get nothing, but got {received}',
  NOT_CONNECTED: '{peer} was not connected within {ms} ms; check that the other side runs and dials this port',
  STILL_CONNECTED: '{peer} is still connected after {ms} ms',
  PEER_GONE: '{peer} was disconnected before {wanted} came; received: {received}',
  STOPPED: 'stopped',
  ...STEP_NAMES.en,
}

const CHINESE = /^zh\b|^zh_/i

/** As the terminal is set: LC_ALL, else LC_MESSAGES, else LANG. */
function isChinese({ LC_ALL, LC_MESSAGES, LANG }: NodeJS.ProcessEnv = process.env): boolean {
  return CHINESE.test(LC_ALL || LC_MESSAGES || LANG || '')
}

export function describe({ code, params }: Notice): string {
  const chinese = isChinese()
  const text = (chinese ? textOf(TEXTS_ZH, code) : undefined) ?? textOf(TEXTS, code) ?? `${code} ${JSON.stringify(params)}`
  const place = chinese ? `第 ${Number(params.at) + 1} 个字符处` : `character ${Number(params.at) + 1}`
  const values: Notice['params'] = 'at' in params ? { ...params, place } : params
  const nothing = chinese ? '无' : 'nothing'
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => (Object.hasOwn(values, name) ? String(values[name]) || nothing : whole))
}

function textOf(texts: Readonly<Partial<Record<string, string>>>, code: string): string | undefined {
  return Object.hasOwn(texts, code) ? texts[code] : undefined
}
