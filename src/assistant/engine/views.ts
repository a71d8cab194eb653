import { checksumOf, verifyChecksum } from '../shared/checksum.ts'
import { formatHex, parseHex } from '../../text/hex.ts'
import { measureLatency } from '../shared/latency.ts'
import type { Frame, FramingView, LatencyView, LogEntry, NodeView, TextView } from '../shared/protocol.ts'
import type { View } from '../shared/requests.ts'
import type { ChecksumSpec, FramingSpec } from '../shared/spec.ts'
import { createDecoder, isKnownEncoding } from '../../tcp/encoding.ts'
import { createFramer } from '../../tcp/framing/create-framer.ts'
import type { Framing } from '../../tcp/framing/framing.ts'
import { createBreath, type Breath } from './breath.ts'
import { cutStream, streamsOf, type CutPiece, type Stream } from './cutting.ts'
import type { Log } from './log.ts'
import { viewAsNodeRed } from './node-view.ts'
import { notice } from '../shared/notice.ts'
import { AssistantError } from './errors.ts'

const MAX_FRAME_BYTES = 1024 * 1024
export const MAX_ROWS = 5_000
export const MAX_VIEW_BYTES = 4 * 1024 * 1024

/** The same bytes, seen in another way. Long logs take a while, in which others have their turn; nobody waits for the rest after `signal`. */
export async function viewLog(log: Log, request: View, signal?: AbortSignal): Promise<FramingView | NodeView | LatencyView | TextView> {
  const { from = 0, to = Infinity, peer } = request
  const all = log.slice(from, to)
  const entries = peer ? all.filter((entry) => entry.peer === peer) : all
  const breath = createBreath(signal)
  switch (request.view) {
    case 'framing':
      return await viewFraming(entries, request, breath)
    case 'node-red':
      return await viewAsNodeRed(entries, { settings: request.settings, dir: request.dir ?? 'rx', breath })
    case 'latency': {
      const view = measureLatency(entries)
      return { ...view, pairs: view.pairs.slice(-MAX_ROWS) }
    }
    case 'text':
      return await viewText(entries, request.encoding, breath)
  }
}

async function viewFraming(
  entries: readonly LogEntry[],
  { framing, dir, checksum, maxFrame = MAX_FRAME_BYTES }: Extract<View, { view: 'framing' }>,
  breath: Breath,
): Promise<FramingView> {
  const view: FramingView = { frames: [], skipped: 0, truncated: false, problems: [] }
  const options = { framing: toFraming(framing), maxFrame }
  let bytes = 0
  for (const stream of streamsOf(entries, dir ? [dir] : ['rx', 'tx'])) {
    const cutting = cutStream(stream, options)
    let step = cutting.next()
    while (!step.done && !(view.truncated ||= step.value !== undefined && (view.frames.length >= MAX_ROWS || bytes > MAX_VIEW_BYTES))) {
      if (step.value) view.frames.push(frameOf(stream, step.value, checksum))
      bytes += step.value?.bytes.length ?? 0
      await breath()
      step = cutting.next()
    }
    if (!step.done) break
    view.skipped += step.value.skipped
    if (step.value.problem) view.problems.push(step.value.problem)
  }
  view.frames.sort((a, b) => a.entries[1] - b.entries[1])
  return view
}

function frameOf({ dir, peer }: Stream, { t, bytes, entries, complete }: CutPiece, checksum: ChecksumSpec | undefined): Frame {
  return {
    t,
    dir,
    peer,
    data: bytes.toString('base64'),
    entries,
    ...(complete ? {} : { incomplete: true }),
    ...(checksum && complete ? verdictOf(bytes, checksum) : {}),
  }
}

function verdictOf(frame: Buffer, checksum: ChecksumSpec): Pick<Frame, 'verdict' | 'expected'> {
  const { ok, found } = verifyChecksum(frame, checksum)
  if (found === undefined) return { verdict: 'short' }
  if (ok) return { verdict: 'right' }
  const length = checksumOf(new Uint8Array(), checksum).length
  return { verdict: 'wrong', expected: formatHex(checksumOf(frame.subarray(0, frame.length - length), checksum)) }
}

async function viewText(entries: readonly LogEntry[], encoding: string, breath: Breath): Promise<TextView> {
  if (!isKnownEncoding(encoding)) throw new AssistantError(notice('BAD_ENCODING', { encoding }))
  const texts: Record<string, string> = {}
  for (const { chunks } of streamsOf(entries, ['rx', 'tx'])) {
    const decoder = createDecoder(encoding)
    for (const { n, bytes } of chunks) {
      texts[n] = decoder.write(bytes)
      await breath()
    }
    const last = chunks.at(-1)
    if (last) texts[last.n] += decoder.end()
  }
  return { texts }
}

function toFraming(spec: FramingSpec): Framing {
  const framing = framingOf(spec)
  try {
    createFramer({ framing, maxFrame: MAX_FRAME_BYTES, onReady() {} }).stop()
  } catch (error) {
    throw new AssistantError(notice('BAD_SETTING', { setting: spec.kind, reason: (error as Error).message }))
  }
  return framing
}

function framingOf(spec: FramingSpec): Framing {
  if (spec.kind === 'delimiter') return { ...spec, delimiter: bytesOf('delimiter', spec.delimiter) }
  if (spec.kind === 'marker') return { ...spec, start: bytesOf('start', spec.start), end: bytesOf('end', spec.end) }
  return spec
}

function bytesOf(setting: string, text: string): Buffer {
  const parsed = parseHex(text)
  if ('error' in parsed) throw new AssistantError(notice('BAD_HEX', parsed.error))
  if (parsed.bytes.length === 0) throw new AssistantError(notice('BAD_SETTING', { setting, reason: 'there are no bytes' }))
  return Buffer.from(parsed.bytes)
}
