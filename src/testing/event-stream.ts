import { EventSourceParserStream } from 'eventsource-parser/stream'

const DEFAULT_WITHIN_MS = 5_000

/** The events of a stream of server-sent events, in order of arrival. */
export class EventStream implements AsyncDisposable {
  private readonly abort: AbortController
  private readonly events: AsyncGenerator<unknown>

  private constructor(abort: AbortController, body: ReadableStream<Uint8Array>) {
    this.abort = abort
    // At once: a body that nobody reads yet ends when its response is collected as garbage.
    this.events = readEvents(body.pipeThrough(new TextDecoderStream()))
  }

  /** Opens a stream. */
  static async open(url: string): Promise<EventStream> {
    const abort = new AbortController()
    const response = await fetch(url, { signal: abort.signal })
    if (!response.ok || !response.body) throw new Error(`${response.status} ${await response.text()}`)
    return new EventStream(abort, response.body)
  }

  /** Waits for the next event whose data matches, and drops those before it. */
  async next<T>(fits: (data: T) => boolean = () => true, { within = DEFAULT_WITHIN_MS } = {}): Promise<T> {
    const timer = setTimeout(() => this.abort.abort(new Error(`no fitting event within ${within} ms`)), within)
    try {
      for (;;) {
        const { value, done } = await this.events.next()
        if (done) throw new Error('the stream has ended')
        if (fits(value as T)) return value as T
      }
    } finally {
      clearTimeout(timer)
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.abort.abort()
    await Promise.resolve()
  }
}

async function* readEvents(body: ReadableStream<string>): AsyncGenerator<unknown> {
  for await (const { event, data } of body.pipeThrough(new EventSourceParserStream())) {
    if (event === 'listeners') yield JSON.parse(data)
  }
}
