const NOTHING = Buffer.alloc(0)
// A peer that sends byte by byte must not make the list of chunks many times larger than its bytes.
const MANY_CHUNKS = 2
const MIN_BLOCK_BYTES = 512
const SMALL_CHUNK_BYTES = 4 * 1024
const MAX_BLOCK_BYTES = 64 * 1024

/**
 * Bytes in the order in which they came. Positions count from the first byte held. A byte is copied at most twice: when it comes in a
 * small chunk, and when it leaves with bytes of other chunks.
 */
export type ByteQueue = {
  readonly size: number
  push: (chunk: Buffer) => void
  /** The first position of `pattern` from a position on, or -1. Fast for positions that do not decrease between calls. */
  find: (pattern: Buffer, from: number) => number
  /** Bytes at the front, without removing them. */
  peek: (length: number) => Buffer
  /** Removes bytes from the front; a view of the chunk when they lie in one. */
  take: (length: number) => Buffer
  takeAll: () => Buffer
  skip: (length: number) => void
  /** Releases memory not needed for the bytes held: the rest of a chunk that is mostly consumed. */
  compact: () => void
}

export function createByteQueue(): ByteQueue {
  let chunks: Buffer[] = []
  let head = 0
  // Positions in here count from the first byte that ever came, so that removing some does not shift the others.
  let front = 0
  let headStart = 0
  let end = 0
  let cursor = 0
  let cursorStart = 0
  let block: Buffer | undefined
  let blockUsed = 0

  function push(chunk: Buffer): void {
    if (chunk.length === 0) return
    end += chunk.length
    if (chunk.length < SMALL_CHUNK_BYTES && chunks.length - head >= MANY_CHUNKS) return append(chunk)
    block = undefined
    chunks.push(chunk)
  }

  function append(chunk: Buffer): void {
    if (block === undefined || block.length - blockUsed < chunk.length) {
      block = Buffer.allocUnsafeSlow(Math.min(Math.max(end - front, chunk.length, MIN_BLOCK_BYTES), MAX_BLOCK_BYTES))
      blockUsed = 0
      chunks.push(NOTHING)
    }
    chunk.copy(block, blockUsed)
    blockUsed += chunk.length
    chunks[chunks.length - 1] = block.subarray(0, blockUsed)
  }

  function seek(position: number): void {
    if (position < cursorStart || cursor < head) {
      cursor = head
      cursorStart = headStart
    }
    while (position >= cursorStart + chunks[cursor]!.length) cursorStart += chunks[cursor++]!.length
  }

  function slice(from: number, to: number): Buffer {
    if (from === to) return NOTHING
    seek(from)
    const first = chunks[cursor]!
    if (to <= cursorStart + first.length) return first.subarray(from - cursorStart, to - cursorStart)
    const parts = [first.subarray(from - cursorStart)]
    for (let index = cursor + 1, start = cursorStart + first.length; start < to; start += chunks[index++]!.length) {
      parts.push(chunks[index]!.subarray(0, to - start))
    }
    return Buffer.concat(parts, to - from)
  }

  function find(pattern: Buffer, from: number): number {
    const { length } = pattern
    const needle = length === 1 ? pattern[0]! : pattern
    let at = front + from
    while (at + length <= end) {
      seek(at)
      const chunk = chunks[cursor]!
      const chunkEnd = cursorStart + chunk.length
      if (chunkEnd - at >= length) {
        const hit = chunk.indexOf(needle, at - cursorStart)
        if (hit >= 0) return cursorStart + hit - front
        at = chunkEnd - length + 1
      } else {
        const border = slice(at, Math.min(end, chunkEnd + length - 1))
        const hit = border.indexOf(pattern)
        if (hit >= 0) return at + hit - front
        at += border.length - length + 1
      }
    }
    return -1
  }

  function skip(length: number): void {
    front += length
    if (front === end) return clear()
    while (front >= headStart + chunks[head]!.length) {
      headStart += chunks[head]!.length
      // The list is shortened now and then only; the bytes are let go at once.
      chunks[head++] = NOTHING
    }
    if (head * 2 < chunks.length) return
    chunks.splice(0, head)
    cursor -= head
    head = 0
  }

  function compact(): void {
    const first = chunks[head]
    if (first === undefined) return
    const rest = headStart + first.length - front
    if (first.buffer.byteLength <= 2 * rest + MIN_BLOCK_BYTES) return
    const copy = Buffer.allocUnsafeSlow(rest)
    first.copy(copy, 0, front - headStart)
    if (head === chunks.length - 1) block = undefined
    chunks[head] = copy
    headStart = front
    if (cursor === head) cursorStart = headStart
  }

  function clear(): void {
    chunks = []
    head = cursor = 0
    headStart = cursorStart = front
    block = undefined
  }

  function take(length: number): Buffer {
    const bytes = slice(front, front + length)
    skip(length)
    return bytes
  }

  return {
    get size() {
      return end - front
    },
    push,
    find,
    peek: (length) => slice(front, front + length),
    take,
    takeAll: () => take(end - front),
    skip,
    compact,
  }
}
