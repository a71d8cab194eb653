import { hexPair, type TextMistake } from '../../text/hex.ts'

/** What macros are worked out from. `counter` is that of the message which is being made. */
export type MacroState = { counter: number; now: () => Date; random: () => number }

/** A piece of text, where it stood in what was typed, and whether a macro has made it. */
export type MacroPiece = { text: string; at: number; made: boolean }

export const MACRO_EXAMPLES = [
  '{{counter}}',
  '{{counter:6}}',
  '{{counter:hex:4}}',
  '{{random:1-100}}',
  '{{random:hex:8}}',
  '{{time}}',
  '{{time:s}}',
  '{{time:ms}}',
  '{{time:YYYY-MM-DD HH:mm:ss.SSS}}',
] as const

const MACRO = /\{\{([^{}]*)\}\}/g
const MAX_DIGITS = 32
const MAX_RANDOM_DIGITS = 1024
const TIME_TOKEN = /YYYY|MM|DD|HH|mm|ss|SSS/g

export function createMacroState(counter = 1): MacroState {
  return { counter, now: () => new Date(), random: Math.random }
}

/** Replaces every `{{…}}`. Double braces that are no macro are a mistake, so that none is sent that was meant as one. */
export function expandMacros(text: string, state: MacroState): { text: string } | { error: TextMistake } {
  const read = readMacros(text, state)
  return 'error' in read ? read : { text: read.pieces.map((piece) => piece.text).join('') }
}

/** The same in pieces, for mistakes in what follows to be told at their place. */
export function readMacros(text: string, state: MacroState): { pieces: MacroPiece[] } | { error: TextMistake } {
  const pieces: MacroPiece[] = []
  // One moment and one counter for the whole message.
  const now = state.now()
  let end = 0
  for (const match of text.matchAll(MACRO)) {
    const value = valueOf(match[1]!.trim(), state, now)
    if (value === undefined) return { error: { at: match.index, text: match[0] } }
    if (match.index > end) pieces.push({ text: text.slice(end, match.index), at: end, made: false })
    pieces.push({ text: value, at: match.index, made: true })
    end = match.index + match[0].length
  }
  if (end < text.length) pieces.push({ text: text.slice(end), at: end, made: false })
  return { pieces }
}

function valueOf(macro: string, state: MacroState, now: Date): string | undefined {
  const [, name, argument] = /^(\w+)(?::(.*))?$/.exec(macro) ?? []
  switch (name) {
    case 'counter':
      return counterAs(argument, state.counter)
    case 'random':
      return randomAs(argument, state.random)
    case 'time':
      return timeAs(argument, now)
    default:
      return undefined
  }
}

function counterAs(argument: string | undefined, counter: number): string | undefined {
  if (argument === undefined) return String(counter)
  const [, hex, digits] = /^(hex:)?([1-9]\d?)$/.exec(argument) ?? []
  if (digits === undefined || Number(digits) > MAX_DIGITS) return undefined
  // As a counter of so many digits turns over.
  const text = hex === undefined ? String(counter) : counter.toString(16).toUpperCase()
  return text.slice(-Number(digits)).padStart(Number(digits), '0')
}

function randomAs(argument: string | undefined, random: () => number): string | undefined {
  const digits = Number(/^hex:([1-9]\d{0,3})$/.exec(argument ?? '')?.[1] ?? 0)
  if (digits > MAX_RANDOM_DIGITS) return undefined
  if (digits > 0)
    return Array.from({ length: Math.ceil(digits / 2) }, () => hexPair(Math.floor(random() * 256)))
      .join('')
      .slice(0, digits)
  const [, low, high] = /^(-?\d{1,15})-(-?\d{1,15})$/.exec(argument ?? '0-99') ?? []
  if (low === undefined || Number(high) < Number(low)) return undefined
  return String(Number(low) + Math.floor(random() * (Number(high) - Number(low) + 1)))
}

function timeAs(argument: string | undefined, now: Date): string | undefined {
  if (argument === undefined) return now.toISOString()
  if (argument === 's') return String(Math.floor(now.getTime() / 1000))
  if (argument === 'ms') return String(now.getTime())
  const pad = (value: number, length = 2) => String(value).padStart(length, '0')
  const tokens: Record<string, string> = {
    YYYY: pad(now.getFullYear(), 4),
    MM: pad(now.getMonth() + 1),
    DD: pad(now.getDate()),
    HH: pad(now.getHours()),
    mm: pad(now.getMinutes()),
    ss: pad(now.getSeconds()),
    SSS: pad(now.getMilliseconds(), 3),
  }
  const result = argument.replace(TIME_TOKEN, (token) => tokens[token]!)
  return result === argument ? undefined : result
}
