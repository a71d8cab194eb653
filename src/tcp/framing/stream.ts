import type { Framer } from './framing.ts'

/** Every chunk is a frame. */
export function createStreamFramer(): Framer {
  let chunks: Buffer[] = []
  let size = 0

  function release(): Buffer {
    const bytes = Buffer.concat(chunks, size)
    chunks = []
    size = 0
    return bytes
  }

  return {
    push(chunk) {
      if (chunk.length === 0) return
      chunks.push(chunk)
      size += chunk.length
    },
    next() {
      const chunk = chunks.shift()
      size -= chunk?.length ?? 0
      return chunk
    },
    flush: () => (size === 0 ? undefined : { bytes: release(), complete: true }),
    release,
    compact() {},
    get size() {
      return size
    },
    skipped: 0,
    stop() {},
  }
}
