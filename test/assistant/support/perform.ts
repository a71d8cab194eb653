import type { Hub } from '../../../src/assistant/engine/hub.ts'
import { createHandlers, type Handlers } from '../../../src/assistant/server/handlers.ts'
import type { Answers } from '../../../src/assistant/shared/protocol.ts'
import type { Asked } from '../../../src/assistant/shared/requests.ts'

type Performed = keyof ReturnType<typeof createHandlers>

/** What a request does, without a socket in between. `owner`: who asks. */
export function perform<V extends Performed>(hub: Hub, verb: V, asked: Asked<V>, owner?: unknown): Answers[V] | Promise<Answers[V]> {
  const handlers: Handlers<Performed> = createHandlers(hub, { owner })
  return handlers[verb](asked)
}
