// Incomplete text kept as strings would fill V8's heap, and a full heap ends the process.
const MANY_CHARACTERS = 4 * 1024
const MANY_PIECES = 256

/** Pieces of text that are joined at the end. Those of a long text are kept as bytes outside of V8's heap. */
export type TextPile = {
  /** In UTF-16 code units. */
  readonly length: number
  add: (piece: string) => void
  take: () => string
}

export function createTextPile(): TextPile {
  let blocks: Buffer[] = []
  let pieces: string[] = []
  let length = 0
  let inPieces = 0
  return {
    get length() {
      return length
    },
    add(piece) {
      if (piece === '') return
      length += piece.length
      inPieces += piece.length
      if (pieces.push(piece) < MANY_PIECES && inPieces < MANY_CHARACTERS) return
      // As UTF-16, which takes any text as it is, half of a character too.
      blocks.push(Buffer.from(pieces.join(''), 'utf16le'))
      pieces = []
      inPieces = 0
    },
    take() {
      const text = [...blocks.map((block) => block.toString('utf16le')), ...pieces].join('')
      blocks = []
      pieces = []
      length = inPieces = 0
      return text
    },
  }
}
