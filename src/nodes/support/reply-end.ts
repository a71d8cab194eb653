// When a reply is whole, from the properties of a tcp request node.
import { parseDelimiter } from '../../tcp/delimiter.ts'
import { encodeText } from '../../tcp/encoding.ts'
import type { IntakeOptions } from '../../tcp/intake/intake.ts'
import type { ReplyEnd } from '../../tcp/requester/reply.ts'
import { readNumber, type Properties } from './options.ts'

const UTF8 = 'utf8'
// What Node-RED's own node takes beyond the escapes of a delimiter.
const FURTHER_ESCAPES: Record<string, string> = { '\\e': '\\x1B', '\\f': '\\x0C' }

/** From the properties `out` and `splitc`. */
export function readReplyEnd(properties: Properties, reply: { encoding: string; wantsText: boolean; maxReply: number }): ReplyEnd {
  const { splitc } = properties
  switch (properties.out) {
    case 'immed':
      return { kind: 'none' }
    case 'sit':
      return { kind: 'stay', intake: readIntake(properties, reply) }
    case 'count':
      return { kind: 'count', bytes: readNumber(properties, 'splitc', { default: 1, min: 0 }) }
    case 'char':
      return { kind: 'bytes', bytes: readCharacter(String(splitc ?? ''), reply.encoding) }
    default:
      return Number(splitc) < 0 ? { kind: 'none' } : { kind: 'time', ms: Number(splitc) || 0 }
  }
}

/** Escapes and hex digits as in a delimiter, however many bytes they are; of other text the first character, as in Node-RED. */
function readCharacter(text: string, encoding: string): Buffer {
  if (text === '') throw new Error('no character is set that ends the reply')
  const digits = /^0x([0-9a-f]+)$/i.exec(text)?.[1]
  if (digits !== undefined) return Buffer.from(digits.length % 2 === 0 ? digits : `0${digits}`, 'hex')
  if (text.length > 1 && text.startsWith('\\')) {
    const escapes = text.replace(/\\[\\ef]/g, (escape) => FURTHER_ESCAPES[escape] ?? escape)
    return parseDelimiter(escapes, encoding)
  }
  const code = text.codePointAt(0)!
  // As in Node-RED a character up to U+00FF is the byte of its number, unless the node says how its text is written.
  return code <= 0xff && (code < 0x80 || encoding === UTF8) ? Buffer.of(code) : encodeText(String.fromCodePoint(code), encoding)
}

function readIntake(
  properties: Properties,
  { encoding, wantsText, maxReply }: { encoding: string; wantsText: boolean; maxReply: number },
): IntakeOptions {
  const newline = wantsText && typeof properties.newline === 'string' ? properties.newline : ''
  return {
    dataType: wantsText ? 'text' : 'buffer',
    encoding,
    maxFrame: maxReply,
    framing:
      newline === ''
        ? { kind: 'stream' }
        : { kind: 'delimiter', delimiter: parseDelimiter(newline, encoding), keep: properties.trim === true },
  }
}
