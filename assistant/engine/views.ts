import { checksumOf, verifyChecksum } from '../shared/checksum.ts'
import { formatHex, parseHex } from '../../tcp/hex.ts'
import { measureLatency } from '../shared/latency.ts'
import type { Frame, FramingView, LatencyView, LogEntry, NodeView, TextView, ViewAsked } from '../shared/protocol.ts'
import type { ChecksumSpec, FramingSpec } from '../shared/spec.ts'
import { createDecoder, isKnownEncoding } from '../../tcp/encoding.ts'
import type { Framing } from '../../tcp/framing.ts'
import { cutStreams, streamsOf } from './cutting.ts'
import type { Log } from './log.ts'
import { viewAsNodeRed } from './node-view.ts'
import { AssistantError, told } from './told.ts'

const MAX_FRAME_BYTES = 1024 * 1024
export const MAX_ROWS = 5_000
const MAX_VIEW_BYTES = 4 * 1024 * 1024

/** The same bytes, seen in another way. */
export function performView(log: Log, request: ViewAsked): FramingView | NodeView | LatencyView | TextView {
  const { from = 0, to = Infinity, peer } = request
  const all = log.slice(from, to)
  const entries = peer ? all.filter((entry) => entry.peer === peer) : all
  switch (request.view) {
    case 'framing':
      if (!request.framing) throw new AssistantError('BAD_SETTING', { setting: 'framing', reason: 'is missing' })
      return viewFraming(entries, request)
    case 'node-red':
      return viewAsNodeRed(entries, request.settings ?? {}, request.dir)
    case 'latency': {
      const view = measureLatency(entries)
      return { ...view, pairs: view.pairs.slice(-MAX_ROWS) }
    }
    case 'text':
      return viewText(entries, request.encoding)
  }
}

function viewFraming(
  entries: readonly LogEntry[],
  { framing, dir, checksum, maxFrame = MAX_FRAME_BYTES }: Extract<ViewAsked, { view: 'framing' }>,
): FramingView {
  const view: FramingView = { frames: [], skipped: 0, truncated: false, problems: [] }
  const streams = streamsOf(entries, dir ? [dir] : ['rx', 'tx'])
  let bytes = 0
  for (const { stream, cut } of cutStreams(streams, { framing: toFraming(framing), maxFrame })) {
    view.skipped += cut.skipped
    if (cut.problem) view.problems.push(cut.problem)
    for (const piece of cut.pieces) {
      if (view.frames.length >= MAX_ROWS || bytes > MAX_VIEW_BYTES) {
        view.truncated = true
        break
      }
      bytes += piece.bytes.length
      const frame: Frame = {
        t: piece.t,
        dir: stream.dir,
        peer: stream.peer,
        data: piece.bytes.toString('base64'),
        entries: piece.entries,
        ...(piece.complete ? {} : { incomplete: true }),
        ...(checksum && piece.complete ? verdictOf(piece.bytes, checksum) : {}),
      }
      view.frames.push(frame)
    }
  }
  view.frames.sort((a, b) => a.entries[1] - b.entries[1])
  return view
}

function verdictOf(frame: Buffer, checksum: ChecksumSpec): Pick<Frame, 'verdict' | 'expected'> {
  const { ok, found } = verifyChecksum(frame, checksum)
  if (found === undefined) return { verdict: 'short' }
  if (ok) return { verdict: 'right' }
  const length = checksumOf(new Uint8Array(), checksum).length
  return { verdict: 'wrong', expected: formatHex(checksumOf(frame.subarray(0, frame.length - length), checksum)) }
}

function viewText(entries: readonly LogEntry[], encoding = 'utf8'): TextView {
  if (!isKnownEncoding(encoding)) throw new AssistantError('BAD_ENCODING', { encoding })
  const texts: Record<string, string> = {}
  for (const { chunks } of streamsOf(entries, ['rx', 'tx'])) {
    const decoder = createDecoder(encoding)
    for (const { n, bytes } of chunks) texts[n] = decoder.write(bytes)
    const last = chunks.at(-1)
    if (last) texts[last.n] += decoder.end()
  }
  return { texts }
}

function toFraming(spec: FramingSpec): Framing {
  if (spec.kind === 'delimiter') return { ...spec, delimiter: bytesOf('delimiter', spec.delimiter) }
  if (spec.kind === 'marker') return { ...spec, start: bytesOf('start', spec.start), end: bytesOf('end', spec.end) }
  return spec
}

function bytesOf(setting: string, text: string): Buffer {
  const parsed = parseHex(text)
  if ('error' in parsed) throw new AssistantError('BAD_HEX', parsed.error)
  if (parsed.bytes.length === 0) throw new AssistantError('BAD_SETTING', { setting, reason: told('BAD_HEX').code })
  return Buffer.from(parsed.bytes)
}
