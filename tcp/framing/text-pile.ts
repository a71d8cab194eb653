const MANY_PIECES = 1024

/** Pieces of text that are joined once, or twice when they are many: a list of single characters would weigh many times the text. */
export type TextPile = {
  readonly length: number
  add: (piece: string) => void
  take: () => string
}

export function createTextPile(): TextPile {
  let blocks: string[] = []
  let pieces: string[] = []
  let length = 0
  return {
    get length() {
      return length
    },
    add(piece) {
      if (piece === '') return
      length += piece.length
      if (pieces.push(piece) < MANY_PIECES) return
      blocks.push(pieces.join(''))
      pieces = []
    },
    take() {
      const text = blocks.length === 0 && pieces.length === 1 ? pieces[0]! : [...blocks, ...pieces].join('')
      blocks = []
      pieces = []
      length = 0
      return text
    },
  }
}
