// What people see: one line for each entry, coloured on a terminal, with nothing that a peer has sent acted upon.
import { styleText } from 'node:util'
import { decodeText } from '../../tcp/encoding.ts'
import { formatTime, visible } from '../shared/export/entries.ts'
import { formatHex } from '../../text/hex.ts'
import type { LogEntry } from '../shared/protocol.ts'
import { describe } from './texts.ts'

type Style = { encoding: string; show: 'text' | 'hex' | 'both'; colours: boolean; peers: boolean }
type Colour = 'cyan' | 'green' | 'gray'

const MAX_SHOWN_LENGTH = 4096
const MARKS = { rx: '←', tx: '→', note: '·' } as const
const COLOURS: Record<LogEntry['dir'], Colour> = { rx: 'green', tx: 'cyan', note: 'gray' }

export function formatEntry({ t, dir, peer, data, note }: LogEntry, { encoding, show, colours, peers }: Style): string {
  const colour = (name: Colour, text: string) => (colours ? styleText(name, text, { validateStream: false }) : text)
  const time = colour('gray', formatTime(t).slice(11, 23))
  const who = peers && peer !== '' ? ` ${colour('gray', peer)}` : ''
  if (note) return `${time} ${colour('gray', `${MARKS.note} ${visible(describe(note))}`)}`
  const bytes = data ?? new Uint8Array()
  const some = bytes.subarray(0, MAX_SHOWN_LENGTH)
  const text = visible(decodeText(Buffer.from(some.buffer, some.byteOffset, some.length), encoding))
  const shown = show === 'text' ? text : show === 'hex' ? formatHex(some) : `${text}  [${formatHex(some)}]`
  const more = bytes.length > some.length ? ` … ${bytes.length} bytes` : ''
  return `${time}${who} ${colour(COLOURS[dir], `${MARKS[dir]} ${shown}${more}`)}`
}
