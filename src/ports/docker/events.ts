import type { Readable } from 'node:stream'
import type { GetEventsOptions } from 'dockerode'
import { ask, type Engine } from './docker.ts'
import { DockerUnavailable } from './errors.ts'
import { isRetired, PORT_LABEL, PROJECT_LABEL } from './labels.ts'

const MAX_EVENT_CHARS = 1024 * 1024
const EVENTS = ['start', 'die', 'destroy']

/** Something that happened to a container. `ended`: it has let go of what it had; `retired`: a person has taken the forwarder of this port away. */
export type ContainerEvent = { project: string | undefined; ended: boolean; retired: number | undefined }

type RawEvent = { Action?: string; Actor?: { Attributes?: Record<string, string> } }

/**
 * Calls back with what happens to containers, those of other projects too: they hold ports of the host.
 * @throws DockerUnavailable when the engine goes away; returns only when the signal is aborted
 */
export async function followEvents(
  engine: Engine,
  { signal, onOpen, onEvent }: { signal: AbortSignal; onOpen: () => void; onEvent: (event: ContainerEvent) => void },
): Promise<void> {
  // dockerode takes the signal, its types do not know.
  const options: GetEventsOptions & { abortSignal: AbortSignal } = { filters: { type: ['container'], event: EVENTS }, abortSignal: signal }
  const stream = (await ask(engine, engine.streams.getEvents(options))) as Readable
  onOpen()
  let held = ''
  try {
    for await (const chunk of stream.setEncoding('utf8') as AsyncIterable<string>) {
      held += chunk
      const lines = held.split('\n')
      held = lines.pop() ?? ''
      if (held.length > MAX_EVENT_CHARS) throw new Error(`an event is longer than ${MAX_EVENT_CHARS} characters`)
      for (const line of lines) if (line.trim() !== '') onEvent(parse(line))
    }
  } catch (error) {
    if (signal.aborted) return
    throw new DockerUnavailable(`the Docker engine at ${engine.where} has gone (${(error as Error).message})`, { cause: error })
  } finally {
    stream.destroy()
  }
  if (!signal.aborted) throw new DockerUnavailable(`the Docker engine at ${engine.where} has gone`)
}

function parse(line: string): ContainerEvent {
  const { Action, Actor } = JSON.parse(line) as RawEvent
  const labels = Actor?.Attributes ?? {}
  // A forwarder that could not start is taken away without having had anything. Two watchers would rouse each other with that.
  const ended = Action === 'die' || (Action === 'destroy' && !(PORT_LABEL in labels))
  const retired = isRetired(labels.name ?? '') ? Number(labels[PORT_LABEL]) : undefined
  return { project: labels[PROJECT_LABEL], ended, retired }
}
