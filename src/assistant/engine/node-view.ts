// What a tcp in node would make of a logged conversation.
import { readIntake } from '../../nodes/support/options.ts'
import type { FilledDefaults } from '../../nodes/support/defaults.ts'
import { createDecoder } from '../../tcp/encoding.ts'
import { createIntake } from '../../tcp/intake/create-intake.ts'
import type { IntakeOptions, Payload } from '../../tcp/intake/intake.ts'
import type { LogEntry, NodeMessage, NodeView } from '../shared/protocol.ts'
import type { TcpInSpec } from '../shared/spec.ts'
import type { Breath } from './breath.ts'
import { createPlaces, cutStream, streamsOf, noticeOfFramingError, type Stream } from './cutting.ts'
import { notice, type Notice } from '../shared/notice.ts'

const MAX_MESSAGES = 5_000
const MIB = 1024 * 1024
const MAX_BYTES = 4 * MIB
const DEFAULTS = { maxFrame: 16 * MIB, maxSingle: 128 * MIB } as FilledDefaults

/** The messages of a tcp in with these properties, and which of the properties do nothing or harm. */
export async function viewAsNodeRed(
  entries: readonly LogEntry[],
  { settings, dir, breath }: { settings: TcpInSpec; dir: 'rx' | 'tx'; breath: Breath },
): Promise<NodeView> {
  let intake: IntakeOptions
  try {
    intake = readIntake(settings, DEFAULTS)
  } catch (error) {
    return {
      messages: [],
      warnings: [],
      truncated: false,
      problem: notice('BAD_SETTING', { setting: 'tcp in', reason: (error as Error).message }),
    }
  }
  const messages: NodeMessage[] = []
  let problem: Notice | undefined
  let chunks = 0
  let bytes = 0
  let truncated = false
  for (const stream of streamsOf(entries, [dir])) {
    chunks += stream.chunks.length
    for (const message of takeIn(stream, intake, settings)) {
      truncated ||= message !== undefined && (messages.length >= MAX_MESSAGES || bytes > MAX_BYTES)
      if (truncated) break
      if (message && 'problem' in message) problem ??= message.problem
      else if (message) {
        messages.push(message)
        bytes += message.text?.length ?? message.data?.length ?? 0
      }
      await breath()
    }
  }
  messages.sort((a, b) => a.entries[1] - b.entries[1])
  return {
    messages,
    warnings: warningsFor(settings, intake, messages, chunks),
    truncated,
    ...(problem ? { problem } : {}),
  }
}

/** Messages one by one; undefined for a chunk that is done, so that whoever asks can pause. */
function* takeIn(stream: Stream, intake: IntakeOptions, settings: TcpInSpec): Generator<NodeMessage | { problem: Notice } | undefined> {
  const make = (payload: Payload, t: number, entries: [number, number], bytes?: Buffer, complete = true) =>
    messageOf(payload, { t, peer: stream.peer, entries, intake, settings, bytes, complete })
  const cuttable = intake.dataType !== 'text' || !['stream', 'delimiter'].includes(intake.framing.kind)
  if (cuttable) {
    // The bytes of every frame are known, so that split characters can be told from wrong ones.
    const cutting = cutStream(stream, intake)
    let step = cutting.next()
    for (; !step.done; step = cutting.next()) {
      const piece = step.value
      if (piece && (piece.complete || stream.ended))
        yield make(convertWhole(piece.bytes, intake), piece.t, piece.entries, piece.bytes, piece.complete)
      else yield undefined
    }
    if (step.value.problem) yield { problem: step.value.problem }
    return
  }
  const live = createIntake(intake, () => {})
  const places = createPlaces()
  try {
    for (const chunk of stream.chunks) {
      live.push(chunk.bytes)
      places.push(chunk)
      for (let payload = live.next(); payload !== undefined; payload = live.next()) yield make(payload, chunk.t, places.take(live.size))
      yield undefined
    }
  } catch (error) {
    yield { problem: noticeOfFramingError(error) }
    return
  }
  const tail = stream.ended ? live.flush() : undefined
  if (tail) yield make(tail.payload, stream.chunks.at(-1)!.t, places.take(0), undefined, tail.complete)
}

function convertWhole(bytes: Buffer, intake: IntakeOptions): Payload {
  const whole = createIntake({ ...intake, framing: { kind: 'single' }, maxFrame: Number.MAX_SAFE_INTEGER }, () => {})
  whole.push(bytes)
  return whole.flush()?.payload ?? (intake.dataType === 'buffer' ? bytes : '')
}

type About = {
  t: number
  peer: string
  entries: [number, number]
  intake: IntakeOptions
  settings: TcpInSpec
  bytes: Buffer | undefined
  complete: boolean
}

function messageOf(payload: Payload, { t, peer, entries, intake, settings, bytes, complete }: About): NodeMessage {
  const flags: NodeMessage['flags'] = []
  if (!complete) flags.push('incomplete')
  if (payload.length === 0) flags.push('empty')
  if (intake.dataType === 'text' && typeof payload === 'string') {
    if (bytes && isSplit(bytes, intake.encoding)) flags.push('split-character')
    else if (payload.includes('\uFFFD')) flags.push('invalid-bytes')
  }
  const topic = typeof settings.topic === 'string' && settings.topic !== '' ? { topic: settings.topic } : {}
  const content = typeof payload === 'string' ? { text: payload } : { data: payload.toString('base64') }
  return { t, peer, entries, ...content, ...topic, flags }
}

/** Whether bytes end in the middle of a character. */
function isSplit(bytes: Buffer, encoding: string): boolean {
  const decoder = createDecoder(encoding)
  decoder.write(bytes)
  return decoder.pending().length > 0
}

function warningsFor(settings: TcpInSpec, intake: IntakeOptions, messages: readonly NodeMessage[], chunks: number): Notice[] {
  const warnings: Notice[] = []
  const warn = (setting: string, reason: string) => warnings.push(notice('USELESS_SETTING', { setting, reason }))
  const newline = typeof settings.newline === 'string' ? settings.newline : ''
  const stock = settings.framing === undefined || settings.framing === ''
  const { kind } = intake.framing
  if (newline !== '' && stock && kind !== 'delimiter') warn('newline', settings.datamode === 'single' ? 'single' : 'not-text')
  if (settings.trim === true && kind !== 'delimiter' && kind !== 'marker') warn('trim', 'no-delimiter')
  if (typeof settings.encoding === 'string' && settings.encoding !== '' && intake.dataType !== 'text') warn('encoding', 'not-text')
  if (kind === 'delimiter' && chunks > 0 && messages.length === 0) warn('newline', 'never-came')
  if (kind === 'marker' && chunks > 0 && messages.length === 0) warn('frameStart', 'never-came')
  if (messages.some(({ flags }) => flags.includes('split-character')))
    warnings.push(notice('SPLIT_CHARACTERS', { encoding: intake.encoding }))
  if (messages.some(({ flags }) => flags.includes('invalid-bytes'))) warnings.push(notice('WRONG_ENCODING', { encoding: intake.encoding }))
  return warnings
}
