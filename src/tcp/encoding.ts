import { isAscii, isUtf8 } from 'node:buffer'
import iconv from 'iconv-lite'

/** A text encoding by any name that iconv-lite knows, such as `utf8`, `UTF-16LE`, `gbk`, `win1251`. */
export type TextEncoding = string

/** Decodes a stream: any chunking gives the same text. A BOM is a character like others, U+FEFF. */
export type TextDecoderStream = {
  write: (chunk: Buffer) => string
  /** The rest; an incomplete character becomes U+FFFD. */
  end: () => string
  /**
   * The bytes of an incomplete character at the end, for another decoder to continue with. The byte order that a BOM announced to `utf16` and
   * `utf32` is not among them.
   */
  pending: () => Buffer
}

type Codec = {
  /** Decodes the complete characters at the front and returns how many bytes they took. */
  decode: (bytes: Buffer) => { text: string; length: number }
  /** Decodes everything; an incomplete character at the end becomes U+FFFD. */
  decodeAll: (bytes: Buffer) => string
}

const NOTHING = Buffer.alloc(0)
const REPLACEMENT = '\uFFFD'
const ALL_ASCII = Buffer.from(Array.from({ length: 128 }, (_, byte) => byte))
const ALL_BYTES = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte))

// Base64 and hex are not text encodings; iconv-lite's decoders of the others go wrong at chunk boundaries.
const REFUSED = new Set(['base64', 'hex', 'utf7', 'unicode11utf7', 'utf7imap', 'cesu8'])
const UTF8 = new Set(['utf8', 'unicode11utf8'])

const utf8 = createCodec(wholeUtf8, (bytes) => bytes.toString('utf8'))
const latin1 = createCodec(
  (bytes) => bytes.length,
  (bytes) => bytes.toString('latin1'),
)
const utf16le = createCodec((bytes) => wholeUtf16(bytes, 1), decodeUtf16le)
const utf16be = createCodec(
  (bytes) => wholeUtf16(bytes, 0),
  (bytes) => decodeUtf16le(swapPairs(bytes)),
)
const utf32le = createCodec(wholeUtf32, (bytes) => decodeByIconv(bytes, 'utf32le'))
const utf32be = createCodec(wholeUtf32, (bytes) => decodeByIconv(bytes, 'utf32be'))

// Little-endian without a BOM: iconv-lite guesses from the first sixteen bytes, for which a device's short line would have to wait.
const createUtf16 = () => createBomCodec(2, (bytes) => (bytes.readUInt16BE() === 0xfeff ? utf16be : utf16le))
const createUtf32 = () => createBomCodec(4, (bytes) => (bytes.readUInt32BE() === 0xfeff ? utf32be : utf32le))

const CODECS = new Map<string, () => Codec>([
  ['utf8', () => utf8],
  ['unicode11utf8', () => utf8],
  ['latin1', () => latin1],
  ['iso88591', () => latin1],
  ['binary', () => latin1],
  ['ucs2', () => utf16le],
  ['utf16le', () => utf16le],
  ['utf16be', () => utf16be],
  ['utf16', createUtf16],
  ['utf32le', () => utf32le],
  ['ucs4le', () => utf32le],
  ['utf32be', () => utf32be],
  ['ucs4be', () => utf32be],
  ['utf32', createUtf32],
  ['ucs4', createUtf32],
])

const tableCodecs = new Map<string, Codec>()
const selfSynchronizing = new Map<string, boolean>()

export function isKnownEncoding(name: string): boolean {
  return !REFUSED.has(canonical(name)) && iconv.encodingExists(name)
}

export function createDecoder(encoding: TextEncoding): TextDecoderStream {
  const codec = codecOf(encoding)
  let held: Buffer = NOTHING
  return {
    write(chunk) {
      const bytes = held.length === 0 ? chunk : Buffer.concat([held, chunk])
      const { text, length } = codec.decode(bytes)
      // A copy, so that three bytes do not keep a whole chunk in memory.
      held = length === bytes.length ? NOTHING : Buffer.from(bytes.subarray(length))
      return text
    },
    end() {
      const bytes = held
      held = NOTHING
      return bytes.length === 0 ? '' : codec.decodeAll(bytes)
    },
    pending: () => held,
  }
}

/** Decodes bytes that are complete. */
export function decodeText(bytes: Buffer, encoding: TextEncoding): string {
  return codecOf(encoding).decodeAll(bytes)
}

/**
 * The whole characters at the front of bytes in UTF-8 and how many bytes they take; undefined where there is anything else, from which the
 * bytes could not be recovered.
 */
export function decodeValidUtf8(bytes: Buffer): { text: string; length: number } | undefined {
  const whole = bytes.subarray(0, wholeUtf8(bytes))
  return isUtf8(whole) ? { text: whole.toString('utf8'), length: whole.length } : undefined
}

/** Whether this is a name of UTF-8. */
export function isUtf8Name(encoding: TextEncoding): boolean {
  return UTF8.has(encoding) || UTF8.has(canonical(encoding))
}

/** Encodes text; characters that the encoding lacks become `?`. Adds no BOM: the text may go into the middle of a stream. */
export function encodeText(text: string, encoding: TextEncoding): Buffer {
  if (isUtf8Name(encoding)) return Buffer.from(text, 'utf8')
  requireKnown(encoding)
  return iconv.encode(text, encoding, { addBOM: false })
}

/** Whether a delimiter's bytes can never be part of other characters, so that they can be searched for before decoding. */
export function isSelfSynchronizing(encoding: TextEncoding): boolean {
  requireKnown(encoding)
  const name = canonical(encoding)
  let result = selfSynchronizing.get(name)
  // Single-byte encodings, and UTF-8, where a byte above 0x7F is never valid on its own.
  if (result === undefined) selfSynchronizing.set(name, (result = decodeByIconv(ALL_BYTES, name).length === ALL_BYTES.length))
  return result
}

function canonical(name: string): string {
  return name.toLowerCase().replace(/:\d{4}$|[^0-9a-z]/g, '')
}

function requireKnown(encoding: TextEncoding): void {
  if (!isKnownEncoding(encoding)) throw new Error(`encoding "${encoding}" is not known: use utf8, gbk, latin1 or another of iconv-lite's`)
}

function codecOf(encoding: TextEncoding): Codec {
  // Names are mostly given as they are listed here, and this is asked for every frame.
  const name = CODECS.has(encoding) ? encoding : canonical(encoding)
  const known = CODECS.get(name)?.() ?? tableCodecs.get(name)
  if (known !== undefined) return known
  requireKnown(encoding)
  const codec = createTableCodec(name)
  tableCodecs.set(name, codec)
  return codec
}

function createCodec(wholeLength: (bytes: Buffer) => number, decodeAll: (bytes: Buffer) => string): Codec {
  return {
    decode(bytes) {
      const length = wholeLength(bytes)
      return { text: decodeAll(bytes.subarray(0, length)), length }
    },
    decodeAll,
  }
}

/** The codec that the first character chooses. */
function createBomCodec(size: number, choose: (bytes: Buffer) => Codec): Codec {
  let chosen: Codec | undefined
  return {
    decode(bytes) {
      if (chosen === undefined && bytes.length < size) return { text: '', length: 0 }
      chosen ??= choose(bytes)
      return chosen.decode(bytes)
    },
    decodeAll(bytes) {
      if (bytes.length < size) return bytes.length === 0 ? '' : REPLACEMENT
      return (chosen ?? choose(bytes)).decodeAll(bytes)
    },
  }
}

/** One- and multi-byte encodings that iconv-lite decodes by tables. */
function createTableCodec(name: string): Codec {
  const hasAscii = decodeByIconv(ALL_ASCII, name) === ALL_ASCII.toString('latin1')
  const asAscii = (bytes: Buffer) => (hasAscii && isAscii(bytes) ? bytes.toString('latin1') : undefined)
  return {
    decode(bytes) {
      const ascii = asAscii(bytes)
      if (ascii !== undefined) return { text: ascii, length: bytes.length }
      const decoder = iconv.getDecoder(name, { stripBOM: false })
      const text = decoder.write(bytes)
      // At its end the decoder gives one character for each byte of an incomplete one.
      return { text, length: bytes.length - (decoder.end()?.length ?? 0) }
    },
    decodeAll: (bytes) => asAscii(bytes) ?? decodeByIconv(bytes, name),
  }
}

function decodeByIconv(bytes: Buffer, name: string): string {
  return iconv.decode(bytes, name, { stripBOM: false })
}

function wholeUtf8(bytes: Buffer): number {
  for (let fromEnd = 1; fromEnd <= Math.min(3, bytes.length); fromEnd += 1) {
    const byte = bytes[bytes.length - fromEnd]!
    if (byte >= 0xc0) return utf8Length(byte) > fromEnd ? bytes.length - fromEnd : bytes.length
    if (byte < 0x80) return bytes.length
  }
  return bytes.length
}

/** How many bytes long a character is that begins with this byte (RFC 3629). */
function utf8Length(leadByte: number): number {
  if (leadByte < 0xc2 || leadByte > 0xf4) return 1
  return leadByte < 0xe0 ? 2 : leadByte < 0xf0 ? 3 : 4
}

function wholeUtf16(bytes: Buffer, highByte: 0 | 1): number {
  const length = bytes.length & ~1
  const endsInHighSurrogate = length > 0 && (bytes[length - 2 + highByte]! & 0xfc) === 0xd8
  return endsInHighSurrogate ? length - 2 : length
}

function wholeUtf32(bytes: Buffer): number {
  return bytes.length & ~3
}

function decodeUtf16le(bytes: Buffer): string {
  return bytes.toString('utf16le') + (bytes.length % 2 === 0 ? '' : REPLACEMENT)
}

function swapPairs(bytes: Buffer): Buffer {
  const pairs = Buffer.from(bytes.subarray(0, bytes.length & ~1)).swap16()
  return bytes.length % 2 === 0 ? pairs : Buffer.concat([pairs, bytes.subarray(-1)])
}
