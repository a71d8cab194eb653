// Node-RED's status port, as a client.
import { createParser } from 'eventsource-parser'
import type { PortsSnapshot, PublishFailure } from '../shared/facts.ts'
import { PORTS_HEADER } from '../header.ts'
import { ProjectUnavailable } from './errors.ts'
import { parseSnapshot } from './snapshot.ts'

const ANSWER_TIMEOUT_MS = 5_000
// The other side says something every 10 s.
const SILENCE_TIMEOUT_MS = 25_000
const MAX_EVENT_CHARS = 8 * 1024 * 1024
const MAX_DETAIL_CHARS = 200
const headers = { [PORTS_HEADER]: '1' }

/** A TCP connection of Node-RED's process; of tcp nodes with the address of the device and the node. */
export type SessionFact = {
  id: number
  direction: 'in' | 'out'
  localPort?: number
  remoteAddress?: string
  remotePort?: number
  bytesIn: number
  bytesOut: number
  ip?: string
  port?: number
  usedBy?: { node: string; type: string; name: string; flow: string }
}

/** What Node-RED says about its ports now. @throws ProjectUnavailable when it does not answer, or is too old to */
export async function readSnapshot(url: string): Promise<PortsSnapshot> {
  const done = new AbortController()
  const signal = AbortSignal.any([done.signal, AbortSignal.timeout(ANSWER_TIMEOUT_MS)])
  let snapshot: PortsSnapshot | undefined
  try {
    await followSnapshots(url, { signal, onSnapshot: (first) => ((snapshot ??= first), done.abort()) })
  } catch (error) {
    if (!snapshot) throw error instanceof ProjectUnavailable ? error : unavailable(url, error)
  }
  if (!snapshot) throw unavailable(url, new Error('it said nothing'))
  return snapshot
}

/**
 * Calls back with what Node-RED says about its ports, now and after every change, until the connection ends.
 * @throws Error when it breaks off, is silent for 25 s, or the signal is aborted
 */
export async function followSnapshots(
  url: string,
  { signal, onSnapshot }: { signal: AbortSignal; onSnapshot: (snapshot: PortsSnapshot) => void },
): Promise<void> {
  const silence = new AbortController()
  let timer: NodeJS.Timeout | undefined
  const hear = () => {
    clearTimeout(timer)
    timer = setTimeout(() => silence.abort(new Error(`silent for ${SILENCE_TIMEOUT_MS / 1000} s`)), SILENCE_TIMEOUT_MS)
  }
  hear()
  try {
    const response = await fetch(`${url}/listeners/stream`, { headers, signal: AbortSignal.any([signal, silence.signal]) })
    if (response.status === 404)
      throw new ProjectUnavailable(`the Node-RED at ${url} is too old for live ports: docker compose up --build --wait`)
    if (!response.ok || !response.body) throw new Error(`status ${response.status}: ${(await response.text()).trim()}`)
    const events = createParser({
      maxBufferSize: MAX_EVENT_CHARS,
      onEvent: ({ event, data }) => {
        if (event === 'listeners') onSnapshot(parseSnapshot(data))
      },
      onError: (error) => {
        if (error.type === 'max-buffer-size-exceeded') throw new Error(`an event is longer than ${MAX_EVENT_CHARS} characters`)
      },
    })
    for await (const text of response.body.pipeThrough(new TextDecoderStream())) {
      hear()
      events.feed(text)
    }
  } finally {
    clearTimeout(timer)
  }
}

/** The connections of Node-RED's process. @throws ProjectUnavailable */
export async function readSessions(url: string): Promise<SessionFact[]> {
  return (await get(`${url}/sessions`)) as SessionFact[]
}

/** Tells Node-RED that a port could not be published, so that the editor can show it. @throws ProjectUnavailable */
export async function reportFailure(url: string, { port, hostPort, code, holder, detail }: PublishFailure): Promise<void> {
  const query = new URLSearchParams({ problem: code, hostPort: String(hostPort) })
  if (holder) query.set('holder', holder.slice(0, MAX_DETAIL_CHARS))
  if (detail) query.set('detail', detail.slice(0, MAX_DETAIL_CHARS))
  // The answer tells only whether the port listens.
  await fetch(`${url}/listeners/${port}?${query.toString()}`, { headers, signal: AbortSignal.timeout(ANSWER_TIMEOUT_MS) })
    .then((response) => response.arrayBuffer())
    .catch((error: unknown) => {
      throw unavailable(url, error)
    })
}

async function get(url: string): Promise<unknown> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(ANSWER_TIMEOUT_MS) })
    return await response.json()
  } catch (error) {
    throw unavailable(url, error)
  }
}

function unavailable(url: string, error: unknown): ProjectUnavailable {
  const { message, cause } = error as Error
  const why = cause instanceof Error ? cause.message || (cause as NodeJS.ErrnoException).code : message
  return new ProjectUnavailable(
    `Node-RED's status port does not answer at ${url} (${why}): is it running? --status names another address`,
    {
      cause: error,
    },
  )
}
