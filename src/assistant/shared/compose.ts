import { checksumOf } from './checksum.ts'
import { concatBytes, encodeUtf8, joinPieces, readEscapes, type Piece } from '../../text/escapes.ts'
import { hexPair, parseHex } from '../../text/hex.ts'
import { createMacroState, readMacros, type MacroPiece, type MacroState } from './macros.ts'
import type { Draft } from './spec.ts'
import { notice, type Notice } from './notice.ts'

export type Composing = {
  /** What macros are worked out from; one of its own by default. */
  macros?: MacroState
  /** What `$&` and `$1` to `$9` stand for, in replies of rules. Inserted last: what a peer has sent is never read as an escape or macro. */
  captures?: readonly string[]
  /** Encodes text in the draft's encoding. Without it only UTF-8 can be composed. */
  encode?: (text: string) => Uint8Array
}

export type Composed = { bytes: Uint8Array } | { error: Notice }

const UTF8 = /^utf-?8$/i
const CAPTURE = /\$([$&1-9])/g

/** What is sent for a draft: its content, the checksum of that, the line ending. A draft with macros counts on. */
export function composeBytes(draft: Draft, composing: Composing = {}): Composed {
  const encode = composing.encode ?? (UTF8.test(draft.encoding) ? encodeUtf8 : undefined)
  if (encode === undefined) return { error: notice('BAD_ENCODING', { encoding: draft.encoding }) }
  const content = composeContent(draft, { ...composing, encode })
  if ('error' in content) return content
  const checksum = draft.checksum === undefined ? [] : [checksumOf(content.bytes, draft.checksum)]
  if (draft.macros && composing.macros !== undefined) composing.macros.counter += 1
  const ending = draft.ending === '' ? [] : [encode(draft.ending)]
  return { bytes: concatBytes([content.bytes, ...checksum, ...ending]) }
}

export function emptyDraft(): Draft {
  return { mode: 'text', text: '', encoding: 'utf8', escapes: false, ending: '', macros: false }
}

function composeContent(draft: Draft, composing: Composing & { encode: (text: string) => Uint8Array }): Composed {
  const expanded = draft.macros
    ? readMacros(draft.text, composing.macros ?? createMacroState())
    : { pieces: [{ text: draft.text, at: 0, made: false }] }
  if ('error' in expanded) return { error: notice('BAD_MACRO', expanded.error) }
  return draft.mode === 'hex' ? composeHex(expanded.pieces, composing) : composeText(draft, expanded.pieces, composing)
}

function composeText(
  draft: Draft,
  parts: MacroPiece[],
  { captures, encode }: Composing & { encode: (text: string) => Uint8Array },
): Composed {
  const pieces: Piece[] = []
  for (const { text, at, made } of parts) {
    const read = draft.escapes && !made ? readEscapes(text) : { pieces: [text] }
    if ('error' in read) return { error: notice('BAD_ESCAPE', { at: at + read.error.at, text: read.error.text }) }
    pieces.push(...read.pieces)
  }
  return { bytes: joinPieces(joinTexts(pieces), (text) => encode(insertCaptures(text, captures))) }
}

/** In HEX a capture stands for its bytes, one for each character: rules with such a reply read bytes as Latin-1. */
function composeHex(parts: MacroPiece[], { captures }: Composing): Composed {
  const all: Uint8Array[] = []
  for (const { text, at } of parts) {
    const hexCaptures = captures?.map((capture) => Array.from(capture, (character) => hexPair(character.charCodeAt(0) & 0xff)).join(' '))
    const parsed = parseHex(insertCaptures(text, hexCaptures))
    if ('error' in parsed) return { error: notice('BAD_HEX', { at: at + parsed.error.at, text: parsed.error.text }) }
    all.push(parsed.bytes)
  }
  return { bytes: concatBytes(all) }
}

/** Texts that follow one another as one: characters and captures may not be cut. */
function joinTexts(pieces: Piece[]): Piece[] {
  return pieces.reduce<Piece[]>((joined, piece) => {
    const last = joined.at(-1)
    if (typeof piece === 'string' && typeof last === 'string') joined[joined.length - 1] = last + piece
    else joined.push(piece)
    return joined
  }, [])
}

function insertCaptures(text: string, captures: readonly string[] | undefined): string {
  if (captures === undefined) return text
  return text.replace(CAPTURE, (_, name: string) => (name === '$' ? '$' : (captures[name === '&' ? 0 : Number(name)] ?? '')))
}
