// What each request does to the hub.
import type { Endpoint } from '../engine/endpoint.ts'
import { AssistantError } from '../engine/errors.ts'
import { exportAsFile } from '../engine/exporting.ts'
import type { Hub } from '../engine/hub.ts'
import { spanOf } from '../engine/log.ts'
import { viewLog } from '../engine/views.ts'
import { notice } from '../shared/notice.ts'
import type { Answers, LogEntry } from '../shared/protocol.ts'
import type { Asked, Verb } from '../shared/requests.ts'
import { toEntry } from './entries.ts'
import { badRequest } from './requests.ts'

const MAX_FETCHED_BYTES = 2 * 1024 * 1024

export type Handlers<V extends Verb = Verb> = { [K in V]: (asked: Asked<K>) => Answers[K] | Promise<Answers[K]> }
/** Verbs that are about nobody but the one who asks. */
type Own = 'watch' | 'unwatch' | 'scenario'

/**
 * The verbs that act on endpoints. `owner` is who asks: a file that it sends ends when it leaves. Nobody waits for a view or an export any
 * more after `signal`.
 */
export function createHandlers(hub: Hub, { owner, signal }: { owner?: unknown; signal?: AbortSignal } = {}): Handlers<Exclude<Verb, Own>> {
  const { limits } = hub

  /** Does something to an endpoint, and answers what has become of it. */
  const acting =
    <A extends { endpoint: string }>(act: (endpoint: Endpoint, asked: A) => void) =>
    (asked: A) => {
      const endpoint = hub.find(asked.endpoint)
      act(endpoint, asked)
      return endpoint.info()
    }

  function file(asked: Asked<'file'>): Answers['file'] | Promise<Answers['file']> {
    const endpoint = hub.find(asked.endpoint)
    if (asked.step === 'cancel') return endpoint.file.cancel() ?? { name: '', size: 0, sent: 0 }
    if (asked.step === 'chunk') return endpoint.file.chunk(hub.checkLength(Buffer.from(asked.data, 'base64')))
    const { name, size, peer, chunkBytes = endpoint.spec.kind === 'udp' ? 1024 : 0, periodMs = 0 } = asked
    if (size > limits.fileBytes) throw new AssistantError(notice('FILE_TOO_LARGE', { bytes: size, limit: limits.fileBytes }))
    return endpoint.file.begin({ name, size, peer, owner, pieceBytes: chunkBytes, periodMs })
  }

  return {
    open: ({ spec, name }) => hub.open(spec, name).info(),
    close: acting((endpoint) => endpoint.close()),
    reopen: acting((endpoint, { spec }: Asked<'reopen'>) => endpoint.open(spec)),
    remove({ endpoint }) {
      hub.remove(endpoint)
      return {}
    },
    rename: acting((endpoint, { name }: Asked<'rename'>) => hub.rename(endpoint.id, name)),
    send: (asked) => hub.send(asked.endpoint, 'draft' in asked ? asked.draft : Buffer.from(asked.data, 'base64'), asked.peer),
    timer: acting((endpoint, { timer }: Asked<'timer'>) => {
      if (timer && timer.periodMs < limits.timerPeriodMs)
        throw new AssistantError(badRequest(`timer.periodMs: at least ${limits.timerPeriodMs} ms`))
      if (timer) endpoint.timer.start(timer)
      else endpoint.timer.stop()
    }),
    file,
    rules: acting((endpoint, { rules }: Asked<'rules'>) => {
      if (rules.length > limits.rules) throw new AssistantError(notice('TOO_MANY_RULES', { limit: limits.rules }))
      endpoint.setRules(rules)
    }),
    faults: acting((endpoint, { faults, now, peer }: Asked<'faults'>) => {
      if (faults) endpoint.setFaults(faults)
      if (now && endpoint.spec.kind === 'udp') throw new AssistantError(notice('NOT_FOR_KIND', { kind: 'udp' }))
      if (now) endpoint.disturb(now, peer)
    }),
    clear: acting((endpoint) => endpoint.clear()),
    fetch({ endpoint, from, to }) {
      const { log } = hub.find(endpoint)
      return { entries: someOf(log.slice(from, to, limits.fetchEntries)).map(toEntry), first: log.first, last: log.last }
    },
    view: ({ endpoint, ...view }) => viewLog(hub.find(endpoint).log, view, signal),
    export: ({ endpoint, ...wanted }) => exportAsFile(hub.find(endpoint), wanted, signal),
    replay: acting((endpoint, { source, speed = 1, peer }: Asked<'replay'>) => {
      if (!source) return endpoint.replay.stop()
      const entries = spanOf(hub.find(source.endpoint).log, source).filter(({ dir }) => dir === source.dir)
      endpoint.replay.start(entries, { speed, peer })
    }),
    'reset-counters': acting((endpoint) => endpoint.resetCounters()),
    kick: acting((endpoint, { peer }: Asked<'kick'>) => endpoint.disturb('kick', peer)),
  }
}

/** As many as make an answer of a bounded length, at least one; the rest is asked for again. */
function someOf(entries: readonly LogEntry[]): readonly LogEntry[] {
  let bytes = 0
  const end = entries.findIndex(({ data }) => (bytes += data?.length ?? 0) > MAX_FETCHED_BYTES)
  return end === -1 ? entries : entries.slice(0, Math.max(1, end))
}
