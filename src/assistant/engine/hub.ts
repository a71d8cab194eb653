import { createMacroState } from '../shared/macros.ts'
import type { EndpointInfo, Limits, Preset } from '../shared/protocol.ts'
import type { Draft, EndpointSpec } from '../shared/spec.ts'
import { composeDraft } from './compose.ts'
import { Endpoint } from './endpoint.ts'
import { createTargets } from './targets.ts'
import { notice, type Notice } from '../shared/notice.ts'
import { AssistantError } from './errors.ts'

const MIB = 1024 * 1024

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

  /** @throws AssistantError when there are too many */
  function open(spec: EndpointSpec, name = defaultName(spec)): Endpoint {
    if (endpoints.size >= limits.endpoints) throw new AssistantError(notice('TOO_MANY_ENDPOINTS', { limit: limits.endpoints }))
    const id = `e${(numbers += 1)}`
    const endpoint = new Endpoint({
      id,
      name,
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
    return endpoint
  }

  function checkLength(bytes: Uint8Array): Uint8Array {
    if (bytes.length > limits.sendBytes) throw new AssistantError(notice('TOO_LONG', { bytes: bytes.length, limit: limits.sendBytes }))
    return bytes
  }

  return {
    limits,
    presets,
    variables,
    /** @throws AssistantError when it is not there */
    find,
    open,
    /** Closes an endpoint and forgets it with its log. */
    remove(id: string): void {
      const endpoint = find(id)
      endpoint.close()
      endpoints.delete(id)
      tell({ on: 'removed', endpoint })
    },
    rename(id: string, name: string): void {
      const endpoint = find(id)
      endpoint.name = name
      tell({ on: 'changed', endpoint })
    },
    /**
     * Sends bytes, or what a draft stands for, to one peer or to all.
     * @throws AssistantError when there is nobody to send to, or it is too long
     */
    send(id: string, content: Uint8Array | Draft, peer?: string): { bytes: number; peers: number } {
      const endpoint = find(id)
      const bytes = checkLength(content instanceof Uint8Array ? content : composeDraft(content, macros))
      return { bytes: bytes.length, peers: endpoint.send(bytes, peer) }
    },
    /** The bytes. @throws AssistantError when they are more than may be sent at once */
    checkLength,
    endpoints: (): Endpoint[] => [...endpoints.values()],
    infos: (): EndpointInfo[] => [...endpoints.values()].map((endpoint) => endpoint.info()),
    /** Calls back until the returned function is called. */
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
