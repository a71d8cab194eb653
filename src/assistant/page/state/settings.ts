import type { ChecksumName, Draft, EndpointKind, FramingSpec, Rule } from '../../shared/spec.ts'
import { remembered } from './storage.ts'

type FramingKind = FramingSpec['kind']
export type Show = 'text' | 'hex' | 'both'
export type TimeStyle = 'clock' | 'difference' | 'none'

/** How the page looks and how received bytes are shown. */
export const receive = remembered<{ show: Show; encoding: string; time: TimeStyle; wrap: boolean; autoScroll: boolean }>('receive', {
  show: 'both',
  encoding: 'utf-8',
  time: 'clock',
  wrap: true,
  autoScroll: true,
})

export const look = remembered<{ locale: '' | 'en' | 'zh'; theme: 'system' | 'light' | 'dark' }>('look', { locale: '', theme: 'system' })

export const EMPTY_DRAFT: Draft = { mode: 'text', text: '', encoding: 'utf8', escapes: false, ending: '', macros: false }

/** What is being typed to be sent, and what is done with it. */
export const send = remembered('send', {
  draft: EMPTY_DRAFT,
  peer: '',
  timerMs: 1000,
  timerCount: 0,
  clearAfter: false,
  enterSends: false,
})

/** What the form for a new endpoint says. Numbers are texts while they are typed. */
type Network = {
  kind: EndpointKind
  host: string
  port: string
  localHost: string
  localPort: string
  reconnect: boolean
  tls: boolean
  verify: boolean
  ca: string
  cert: string
  broadcast: boolean
  multicast: string
  servername: string
}

const NETWORK: Network = {
  kind: 'tcp-client',
  host: '127.0.0.1',
  port: '',
  localHost: '',
  localPort: '',
  reconnect: false,
  tls: false,
  verify: true,
  ca: '',
  cert: '',
  broadcast: false,
  multicast: '',
  servername: '',
}

export const network = remembered('network', NETWORK)
/** What stands in the form of a new endpoint while another one is looked at. */
export const newNetwork = remembered('new-network', NETWORK)

/** Rules that are being typed for an endpoint, not saved yet. */
export const ruleDrafts = remembered<{ endpoint: string; rules: Rule[] }>('rules', { endpoint: '', rules: [] })

export type QuickCommand = { name: string; draft: Draft }
export const quick = remembered<{ commands: QuickCommand[] }>('quick', { commands: [] })
export const history = remembered<{ drafts: Draft[] }>('history', { drafts: [] })

const MAX_HISTORY = 100

export function remember(draft: Draft): void {
  const text = JSON.stringify(draft)
  const others = history.drafts.filter((other) => JSON.stringify(other) !== text)
  history.drafts = [JSON.parse(text) as Draft, ...others].slice(0, MAX_HISTORY)
}

/** The server encodes; these are names it knows. */
export const DRAFT_ENCODINGS: readonly (readonly [name: string, shown: string])[] = [
  ['utf8', 'UTF-8'],
  ['gbk', 'GBK'],
  ['gb18030', 'GB18030'],
  ['big5', 'BIG5'],
  ['shift_jis', 'SHIFT_JIS'],
  ['euc-kr', 'EUC-KR'],
  ['latin1', 'ISO-8859-1'],
  ['win1251', 'WINDOWS-1251'],
  ['utf16le', 'UTF-16LE'],
  ['utf16be', 'UTF-16BE'],
]

/** How captured bytes are cut again. Numbers are texts while they are typed. */
export const framing = remembered<{
  kind: FramingKind
  delimiter: string
  keep: boolean
  length: string
  offset: string
  size: string
  endian: 'big' | 'little'
  adjust: string
  keepHeader: boolean
  ms: string
  start: string
  end: string
  trailer: string
  dir: '' | 'rx' | 'tx'
  checksum: '' | ChecksumName
  order: 'big' | 'little'
}>('framing', {
  kind: 'delimiter',
  delimiter: '0D 0A',
  keep: false,
  length: '8',
  offset: '0',
  size: '2',
  endian: 'big',
  adjust: '0',
  keepHeader: true,
  ms: '50',
  start: '02',
  end: '03',
  trailer: '0',
  dir: '',
  checksum: '',
  order: 'little',
})

/** The tcp in node that a conversation is shown through. */
export const tcpIn = remembered('tcp-in', {
  datamode: 'stream',
  datatype: 'utf8',
  newline: '',
  trim: false,
  framing: '',
  encoding: 'utf8',
  frameLength: '8',
  lengthOffset: '0',
  lengthSize: '2',
  lengthEndian: 'big',
  lengthAdjust: '0',
  lengthHeader: true,
  frameGap: '50',
  frameStart: '\\x02',
  frameEnd: '\\x03',
  trailer: '0',
})
