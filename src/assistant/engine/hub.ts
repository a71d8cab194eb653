import { createMacroState } from '../shared/macros.ts'
import type { EndpointInfo, Entry, Limits, LogEntry, Preset, Request, Requests, Verb } from '../shared/protocol.ts'
import type { Draft, EndpointSpec } from '../shared/spec.ts'
import { composeDraft } from './compose.ts'
import { Endpoint } from './endpoint.ts'
import { performExport } from './exporting.ts'
import { spanOf } from './log.ts'
import { withSecrets } from './secrets.ts'
import { createTargets } from './targets.ts'
import { performView } from './views.ts'
import { notice, type Notice } from '../shared/notice.ts'
import { AssistantError } from './errors.ts'

const MIB = 1024 * 1024
const MAX_FETCHED_BYTES = 2 * MIB

export const DEFAULT_LIMITS: Limits = {
  endpoints: 16,
  peers: 64,
  logEntries: 100_000,
  logBytes: 16 * MIB,
  sendBytes: MIB,
  fileBytes: 1024 * MIB,
  fetchEntries: 1_000,
  rules: 100,
  timerPeriodMs: 10,
}

export type HubOptions = {
  limits?: Partial<Limits>
  /** The allow list; undefined: anything but metadata addresses. */
  targets?: string | undefined
  presets?: Preset[]
  /** What scenario files from a page may name as `${NAME}`. */
  variables?: Readonly<Record<string, string>>
  hints?: (spec: EndpointSpec, local: { address: string; port: number }) => Notice[]
}

/** What followers are told. Entries are not among it: followers read them from the log when it suits them. */
export type HubEvent = { on: 'changed'; endpoint: Endpoint } | { on: 'logged'; endpoint: Endpoint } | { on: 'removed'; endpoint: Endpoint }

/** Verbs that concern the one who asks alone are answered by its watcher. */
export type HubRequest = Exclude<Request, { do: 'watch' | 'unwatch' | 'scenario' }>
export type Hub = ReturnType<typeof createHub>

/** All endpoints of a process. Knows nothing of WebSockets and of Node-RED. */
export function createHub({ limits: given = {}, targets: allowList, presets = [], variables = {}, hints = () => [] }: HubOptions = {}) {
  const limits = { ...DEFAULT_LIMITS, ...given }
  const targets = createTargets(allowList)
  const endpoints = new Map<string, Endpoint>()
  const followers = new Set<(event: HubEvent) => void>()
  const macros = createMacroState()
  let numbers = 0

  function tell(event: HubEvent): void {
    for (const follower of [...followers]) follower(event)
  }

  function find(id: string): Endpoint {
    const endpoint = endpoints.get(id)
    if (!endpoint) throw new AssistantError(notice('NO_ENDPOINT', { endpoint: id }))
    return endpoint
  }

  function open({ spec, name }: Requests['open']['ask']): EndpointInfo {
    if (endpoints.size >= limits.endpoints) throw new AssistantError(notice('TOO_MANY_ENDPOINTS', { limit: limits.endpoints }))
    const id = `e${(numbers += 1)}`
    const endpoint = new Endpoint({
      id,
      name: name ?? defaultName(spec),
      spec,
      limits,
      targets,
      hints,
      changed: (endpoint) => {
        if (endpoints.has(id)) tell({ on: 'changed', endpoint })
      },
      logged: (endpoint) => {
        if (endpoints.has(id)) tell({ on: 'logged', endpoint })
      },
    })
    endpoints.set(id, endpoint)
    endpoint.open()
    return endpoint.info()
  }

  function contentOf({ data, draft }: { data?: string; draft?: Draft }): Uint8Array {
    if ((data === undefined) === (draft === undefined))
      throw new AssistantError(notice('BAD_REQUEST', { reason: 'data or draft, one of them' }))
    const bytes = draft ? composeDraft(draft, macros) : Buffer.from(data!, 'base64')
    if (bytes.length > limits.sendBytes) throw new AssistantError(notice('TOO_LONG', { bytes: bytes.length, limit: limits.sendBytes }))
    return bytes
  }

  /** @throws AssistantError */
  function perform(request: HubRequest, owner?: unknown, signal?: AbortSignal): unknown {
    if (request.do === 'open') return open(request)
    const endpoint = find(request.endpoint)
    switch (request.do) {
      case 'close':
        endpoint.close()
        return endpoint.info()
      case 'reopen':
        if (request.spec) endpoint.spec = withSecrets(request.spec, endpoint.spec)
        endpoint.open()
        return endpoint.info()
      case 'remove':
        endpoint.close()
        endpoints.delete(endpoint.id)
        tell({ on: 'removed', endpoint })
        return {}
      case 'rename':
        endpoint.name = request.name
        tell({ on: 'changed', endpoint })
        return endpoint.info()
      case 'send': {
        const bytes = contentOf(request)
        return { bytes: bytes.length, peers: endpoint.send(bytes, request.peer) }
      }
      case 'timer':
        if (request.timer) endpoint.timer.start(request.timer)
        else endpoint.timer.stop()
        return endpoint.info()
      case 'file':
        return performFile(endpoint, request, owner)
      case 'rules':
        if (request.rules.length > limits.rules) throw new AssistantError(notice('TOO_MANY_RULES', { limit: limits.rules }))
        endpoint.setRules(request.rules)
        return endpoint.info()
      case 'faults':
        if (request.faults) endpoint.setFaults(request.faults)
        if (request.now) {
          if (endpoint.spec.kind === 'udp') throw new AssistantError(notice('NOT_FOR_KIND', { kind: 'udp' }))
          endpoint.disturb(request.now, request.peer)
        }
        return endpoint.info()
      case 'clear':
        endpoint.clear()
        return endpoint.info()
      case 'fetch': {
        const { first, last } = endpoint.log
        return { entries: someOf(endpoint.log.slice(request.from, request.to, limits.fetchEntries)).map(toEntry), first, last }
      }
      case 'view':
        return performView(endpoint.log, request, signal)
      case 'export':
        return performExport(endpoint, request, signal)
      case 'replay': {
        if (!request.source) endpoint.replay.stop()
        else {
          const { source, speed = 1, peer } = request
          const entries = spanOf(find(source.endpoint).log, source).filter(({ dir }) => dir === source.dir)
          endpoint.replay.start(entries, { speed, peer })
        }
        return endpoint.info()
      }
      case 'reset-counters':
        endpoint.resetCounters()
        return endpoint.info()
      case 'kick':
        endpoint.disturb('kick', request.peer)
        return endpoint.info()
    }
  }

  function performFile(endpoint: Endpoint, request: Extract<HubRequest, { do: 'file' }>, owner: unknown): unknown {
    if (request.step === 'cancel') return endpoint.file.cancel() ?? { name: '', size: 0, sent: 0 }
    if (request.step === 'chunk') {
      const bytes = Buffer.from(request.data ?? '', 'base64')
      if (bytes.length > limits.sendBytes) throw new AssistantError(notice('TOO_LONG', { bytes: bytes.length, limit: limits.sendBytes }))
      return endpoint.file.chunk(bytes)
    }
    const { name, size, peer, chunkBytes = endpoint.spec.kind === 'udp' ? 1024 : 0, periodMs = 0 } = request
    if (!name || !size) throw new AssistantError(notice('BAD_REQUEST', { reason: 'file: name and size are needed' }))
    if (size > limits.fileBytes) throw new AssistantError(notice('FILE_TOO_LARGE', { bytes: size, limit: limits.fileBytes }))
    return endpoint.file.begin({ name, size, peer, owner, pieceBytes: chunkBytes, periodMs })
  }

  return {
    limits,
    presets,
    variables,
    find,
    perform: perform as <V extends Verb>(
      request: Extract<HubRequest, { do: V }>,
      owner?: unknown,
      signal?: AbortSignal,
    ) => Requests[V]['answer'] | Promise<Requests[V]['answer']>,
    endpoints: (): Endpoint[] => [...endpoints.values()],
    infos: (): EndpointInfo[] => [...endpoints.values()].map((endpoint) => endpoint.info()),
    /** Calls back until the function that comes back is called. */
    follow(follower: (event: HubEvent) => void): () => void {
      followers.add(follower)
      return () => void followers.delete(follower)
    },
    /** Somebody has gone: what only it can go on with ends. */
    leave(owner: unknown): void {
      for (const endpoint of endpoints.values()) endpoint.file.leave(owner)
    },
    close(): void {
      for (const endpoint of endpoints.values()) endpoint.close()
    },
  }
}

export function toEntry({ data, ...entry }: LogEntry): Entry {
  return data === undefined ? entry : { ...entry, data: Buffer.from(data.buffer, data.byteOffset, data.length).toString('base64') }
}

/** As many as make an answer of a bounded length, one at least; the rest is asked for again. */
function someOf(entries: readonly LogEntry[]): readonly LogEntry[] {
  let bytes = 0
  const end = entries.findIndex(({ data }) => (bytes += data?.length ?? 0) > MAX_FETCHED_BYTES)
  return end === -1 ? entries : entries.slice(0, Math.max(1, end))
}

function defaultName(spec: EndpointSpec): string {
  switch (spec.kind) {
    case 'tcp-client':
      return `${spec.host}:${spec.port}`
    case 'tcp-server':
      return `:${spec.port}`
    case 'udp':
      return spec.host ? `udp ${spec.host}:${spec.port ?? 0}` : `udp :${spec.localPort}`
    case 'tap':
      return `:${spec.port} → ${spec.host}:${spec.targetPort}`
  }
}
