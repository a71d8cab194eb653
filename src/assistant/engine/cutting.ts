// Cuts a logged conversation again, as the framers of the tcp nodes do with a live one. Time comes from the log.
import type { LogEntry } from '../shared/protocol.ts'
import { createFramer } from '../../tcp/framing/create-framer.ts'
import { BadLengthError, FrameTooLongError, type Framing } from '../../tcp/framing/framing.ts'
import { notice, type Notice } from '../shared/notice.ts'

type Chunk = { n: number; t: number; bytes: Buffer }

/** What one peer has sent or got, in one direction. `ended`: there is nothing more to come. */
export type Stream = { peer: string; dir: 'rx' | 'tx'; chunks: Chunk[]; ended: boolean }

export type CutPiece = { t: number; bytes: Buffer; entries: [number, number]; complete: boolean }
/** Pieces as they are cut; undefined for a chunk that is done, so that whoever asks can pause. */
export type Cutting = Generator<CutPiece | undefined, { skipped: number; problem?: Notice }>

export function streamsOf(entries: readonly LogEntry[], dirs: readonly ('rx' | 'tx')[]): Stream[] {
  const streams = new Map<string, Stream>()
  for (const { n, t, dir, peer, data, note } of entries) {
    if (dir === 'note') {
      if (note?.code !== 'ENDED' && note?.code !== 'DISCONNECTED') continue
      for (const each of ['rx', 'tx']) {
        const stream = streams.get(`${each} ${peer}`)
        if (stream && (each === 'rx' || note.code === 'DISCONNECTED')) stream.ended = true
      }
      continue
    }
    if (!dirs.includes(dir) || data === undefined) continue
    let stream = streams.get(`${dir} ${peer}`)
    if (!stream) streams.set(`${dir} ${peer}`, (stream = { peer, dir, chunks: [], ended: false }))
    stream.chunks.push({ n, t, bytes: Buffer.from(data.buffer, data.byteOffset, data.length) })
  }
  return [...streams.values()]
}

export function cutStream(stream: Stream, { framing, maxFrame }: { framing: Framing; maxFrame: number }): Cutting {
  return framing.kind === 'gap' ? cutByGap(stream, framing.ms, maxFrame) : cutByFramer(stream, framing, maxFrame)
}

function* cutByFramer({ chunks, ended }: Stream, framing: Framing, maxFrame: number): Cutting {
  const framer = createFramer({ framing, maxFrame, onReady() {} })
  const places = createPlaces()
  for (const chunk of chunks) {
    framer.push(chunk.bytes)
    places.push(chunk)
    try {
      for (let frame = framer.next(); frame !== undefined; frame = framer.next())
        yield { t: chunk.t, bytes: frame, entries: places.take(framer.size), complete: true }
    } catch (error) {
      // As in the nodes: what comes after such a mistake cannot be cut any more.
      return { skipped: framer.skipped, problem: noticeOfFramingError(error) }
    }
    yield undefined
  }
  const last = chunks.at(-1)
  const tail = framer.flush()
  if (tail && last) yield { t: last.t, bytes: tail.bytes, entries: places.take(0), complete: tail.complete && ended }
  return { skipped: framer.skipped }
}

function* cutByGap({ chunks, ended }: Stream, ms: number, maxFrame: number): Cutting {
  let held: Chunk[] = []
  const pieceOf = (complete: boolean): CutPiece => {
    const piece = { bytes: Buffer.concat(held.map(({ bytes }) => bytes)), entries: [held[0]!.n, held.at(-1)!.n] as [number, number] }
    return { t: held.at(-1)!.t, complete, ...piece }
  }
  let size = 0
  for (const chunk of chunks) {
    const before = held.at(-1)
    if (before && chunk.t - before.t >= ms * 1000) {
      yield pieceOf(true)
      held = []
      size = 0
    }
    held.push(chunk)
    size += chunk.bytes.length
    if (size > maxFrame) return { skipped: 0, problem: notice('FRAME_TOO_LONG', { limit: maxFrame }) }
    yield undefined
  }
  const last = held.at(-1)
  if (last) yield pieceOf(ended || Date.now() * 1000 - last.t >= ms * 1000)
  return { skipped: 0 }
}

/** Tells which entries the bytes of a frame came in. */
export function createPlaces() {
  const chunks: { n: number; end: number }[] = []
  let pushed = 0
  let taken = 0
  let at = 0
  return {
    push({ n, bytes }: Chunk): void {
      pushed += bytes.length
      chunks.push({ n, end: pushed })
    },
    /** All bytes but the last `left` ones belong to what was taken now or before. */
    take(left: number): [number, number] {
      const end = pushed - left
      while (at < chunks.length - 1 && chunks[at]!.end <= taken) at += 1
      const first = chunks[at]?.n ?? 0
      let until = at
      while (until < chunks.length - 1 && chunks[until]!.end < end) until += 1
      at = until
      taken = end
      return [first, chunks[until]?.n ?? first]
    },
  }
}

export function noticeOfFramingError(error: unknown): Notice {
  if (error instanceof FrameTooLongError) return notice('FRAME_TOO_LONG', { limit: error.limit })
  if (error instanceof BadLengthError) return notice('BAD_LENGTH', { value: error.value })
  throw error
}
