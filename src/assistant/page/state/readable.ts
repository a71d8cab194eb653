import { formatHex } from '../../../text/hex.ts'
import type { Entry } from '../../shared/protocol.ts'
import { base64Length, fromBase64 } from './bytes.ts'
import { textOf } from '../../shared/pattern.ts'

export const ENCODINGS = ['utf-8', 'gbk', 'gb18030', 'big5', 'shift_jis', 'euc-kr', 'iso-8859-1', 'windows-1251', 'utf-16le', 'utf-16be']

// What a row of the log shows of one chunk; the rest is in the details.
export const ROW_BYTES = 2048

/** Bytes as text, to U+FFFD what is none. Control and direction characters come as pictures of themselves: they can do nothing. */
export function readText(bytes: Uint8Array, encoding: string): string {
  return showControls(decode(bytes, encoding))
}

export function decode(bytes: Uint8Array, encoding: string): string {
  // The browser's `iso-8859-1` is windows-1252.
  return textOf(bytes, encoding === 'iso-8859-1' ? 'latin1' : encoding)
}

const CONTROLS = /\r\n|[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g

function showControls(text: string): string {
  return text.replace(CONTROLS, (found) => {
    if (found === '\r\n') return '␍␊\n'
    const code = found.charCodeAt(0)
    if (found === '\n') return '␊\n'
    if (found === '\t') return '\t'
    if (code < 0x20) return String.fromCharCode(0x2400 + code)
    if (code === 0x7f) return '␡'
    return `⟨${code.toString(16).toUpperCase().padStart(4, '0')}⟩`
  })
}

export type Shown = { text: string; hex: string; length: number; cut: boolean }

/** The bytes of an entry as a row shows them. */
export function showEntry({ data = '' }: Pick<Entry, 'data'>, encoding: string): Shown {
  const length = base64Length(data)
  const cut = length > ROW_BYTES
  // Whole groups of four: a cut base64 text decodes as it is.
  const bytes = fromBase64(cut ? data.slice(0, Math.ceil(ROW_BYTES / 3) * 4) : data)
  return { text: readText(bytes, encoding).replace(/\n$/, ''), hex: formatHex(bytes), length, cut }
}
